-- a regular join may give rows of a window that is over, and a padded window is none: what groups or ranks by them takes updates
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 't');
CREATE VIEW w AS SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND));
CREATE VIEW j AS SELECT x.v, x.window_start, x.window_end FROM w x JOIN t y ON x.k = y.k;
SELECT window_start, window_end, COUNT(*) FROM j GROUP BY window_start, window_end;
SELECT v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY v) AS rn FROM j) WHERE rn = 1;
SELECT y.window_end, COUNT(*) FROM w x LEFT JOIN w y ON x.k = y.k AND x.window_start = y.window_start AND x.window_end = y.window_end GROUP BY y.window_start, y.window_end;
