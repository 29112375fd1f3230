CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT r.cell, r.c, d.c FROM (SELECT cell, window_start, window_end, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY cell, window_start, window_end) r
FULL JOIN (SELECT cell, window_start, window_end, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE drivers, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY cell, window_start, window_end) d
ON r.window_start = d.window_start AND r.window_end = d.window_end AND r.cell = d.cell;
