CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT cell, window_start, window_end, COUNT(*) AS c FROM TABLE(CUMULATE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR, INTERVAL '10' SECOND)) WHERE n > 1 GROUP BY cell, window_start, window_end;
SELECT id, window_end FROM TABLE(CUMULATE(SIZE => INTERVAL '1' HOUR, STEP => INTERVAL '20' MINUTE, DATA => TABLE rides, TIMECOL => DESCRIPTOR(ts)));
SELECT r.cell, d.c FROM (SELECT cell, window_start, window_end, COUNT(*) AS c FROM TABLE(CUMULATE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR)) GROUP BY cell, window_start, window_end) r
JOIN (SELECT cell, window_start, window_end, COUNT(*) AS c FROM TABLE(CUMULATE(TABLE drivers, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR)) GROUP BY cell, window_start, window_end) d
ON r.window_start = d.window_start AND r.window_end = d.window_end AND r.cell = d.cell;
SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC) AS rn FROM TABLE(CUMULATE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR))) WHERE rn <= 3;
