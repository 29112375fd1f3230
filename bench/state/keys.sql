-- A count and a sum for each of KEYS keys, each of which comes once.
SET 'table.exec.state.ttl' = '0 ms';
CREATE TABLE src (k BIGINT, v BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000000000', 'number-of-rows' = '${KEYS}',
  'fields.k.kind' = 'sequence', 'fields.k.start' = '1', 'fields.k.end' = '${KEYS}', 'fields.v.min' = '0', 'fields.v.max' = '1000000');
CREATE TABLE sink (k BIGINT, n BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT k, COUNT(*), SUM(v) FROM src GROUP BY k;
