CREATE TABLE bid (auction BIGINT, price BIGINT, ts TIMESTAMP_LTZ(3)) WITH ('connector' = 'mq', 'topic' = 'bid');
CREATE TABLE sink (auction BIGINT, n BIGINT, u STRING, at TIMESTAMP_LTZ(3)) WITH ('connector' = 'print');
INSERT INTO sink SELECT auction, n, UUID(), CURRENT_TIMESTAMP FROM (SELECT auction, COUNT(*) AS n, MAX(ts) AS last FROM bid GROUP BY auction)
WHERE last > CURRENT_TIMESTAMP - INTERVAL '1' DAY AND n > 1;
