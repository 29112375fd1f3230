CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SET 'parallelism.default' = '4';
SET 'streamd.epoch.interval' = '200 ms';
SET 'table.local-time-zone' = 'Europe/Paris';
SELECT id AS a, id AS a, 1 + 2, 'x' || cell FROM rides;
