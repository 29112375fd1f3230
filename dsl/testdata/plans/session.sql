CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE drives (n INT, pt AS PROCTIME()) WITH ('connector' = 'mq', 'topic' = 'drives');
SELECT cell, window_start, window_end, COUNT(*) AS c, MAX(price) FROM TABLE(SESSION(TABLE rides PARTITION BY cell, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE cell <> 'x' GROUP BY cell, window_start, window_end;
SELECT window_start, window_end, window_time, SUM(n) FROM TABLE(SESSION(DATA => TABLE drives, TIMECOL => DESCRIPTOR(pt), GAP => INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time;
