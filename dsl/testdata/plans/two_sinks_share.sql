CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE o (cell STRING, c BIGINT) WITH ('connector' = 'blackhole');
CREATE VIEW v AS SELECT cell, COUNT(*) AS c FROM rides GROUP BY cell;
INSERT INTO o SELECT * FROM v;
INSERT INTO o SELECT cell, c FROM v WHERE c > 10;
