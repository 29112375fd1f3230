-- want: SD3 3:8
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 'rides');
SELECT COUNT(DISTINCT n, id) FROM rides;
