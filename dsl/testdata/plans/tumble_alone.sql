CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT id, window_end FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '10' SECOND)) WHERE window_end > TIMESTAMP '2026-01-01 00:00:00';
