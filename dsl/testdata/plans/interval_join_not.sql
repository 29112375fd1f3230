CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SET 'table.exec.state.ttl' = '0 ms';
-- One bound only (J15), a bound by a plain column, times of other kinds, months.
SELECT r.id, d.id FROM rides r JOIN drivers d ON r.cell = d.cell AND d.ts >= r.ts;
SELECT r.id, d.id FROM rides r JOIN drivers d ON r.cell = d.cell AND d.ts BETWEEN r.ts AND r.ts + INTERVAL '1' MONTH;
SELECT r.id, m.c FROM rides r JOIN (SELECT cell, window_end AS e, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY cell, window_start, window_end) m
ON r.cell = m.cell AND r.ts BETWEEN m.e - INTERVAL '1' MINUTE AND m.e;
SELECT r.id, d.id FROM rides r LEFT JOIN drivers d ON r.cell = d.cell WHERE d.ts BETWEEN r.ts AND r.ts + INTERVAL '1' SECOND;
