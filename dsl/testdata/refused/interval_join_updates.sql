-- want: SD4 6:26
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), r ROW<x INT, y STRING>, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3)) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE o (cell STRING, c BIGINT NOT NULL) WITH ('connector' = 'mq', 'topic' = 'o');
CREATE TABLE changes (cell STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 'c', 'format' = 'debezium-json');
SELECT r.id FROM rides r JOIN changes c ON r.cell = c.cell AND r.ts BETWEEN c.ts AND c.ts + INTERVAL '1' SECOND;
