CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE dl (k STRING, v INT) WITH ('connector' = 'mq', 'topic' = 'dl', 'on-error' = 'dead-letter', 'dead-letter.topic' = 'dlq', 'buffer' = '1');
SELECT a.k, 10 / a.v, r.cell FROM dl a JOIN rides r ON a.v = r.n WHERE a.k <> '';
