CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
SELECT b.id, b.ts FROM (SELECT MIN(n) AS m, window_start AS s, window_time AS e
  FROM TABLE(HOP(TABLE rides, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time) w
JOIN (SELECT * FROM rides WHERE cell <> 'x') b ON w.m = b.n AND b.ts >= w.s WHERE b.ts < w.e;
