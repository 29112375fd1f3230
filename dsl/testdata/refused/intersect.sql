-- want: SD4 5:22
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), r ROW<x INT, y STRING>, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3)) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE o (cell STRING, c BIGINT NOT NULL) WITH ('connector' = 'mq', 'topic' = 'o');
SELECT id FROM rides INTERSECT SELECT id FROM drivers;
