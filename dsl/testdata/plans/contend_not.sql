-- Joins of rows with a windowed MAX where a row that is not the greatest so far may still be wanted.
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE exact WITH ('scan.watermark.emit.strategy' = 'on-event') LIKE rides;
SELECT 'fewer rows count', b.id FROM rides b JOIN (SELECT MAX(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE (SELECT * FROM rides WHERE cell <> 'x'), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'by key', b.id FROM rides b JOIN (SELECT MAX(n) AS m, cell, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY cell, window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'no upper bound', b.id FROM rides b JOIN (SELECT MAX(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND;
SELECT 'another column', b.id FROM rides b JOIN (SELECT MAX(id) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'not the MAX', b.id FROM rides b JOIN (SELECT SUM(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'padded', b.id FROM rides b LEFT JOIN (SELECT MAX(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'a value that fails', b.id FROM rides b JOIN (SELECT MAX(x) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE (SELECT n AS x, 10 / n AS y, ts FROM rides), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end HAVING MAX(y) > 0) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'late row by row', b.id FROM exact b JOIN (SELECT MAX(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE exact, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'a condition that fails', b.id FROM rides b JOIN (SELECT MAX(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m AND 10 / b.id > 1 + (b.n - w.m) AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
SELECT 'a filter that fails', b.id FROM rides b JOIN (SELECT MAX(n) AS m, window_end AS e
  FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) w
ON b.n = w.m WHERE CAST(b.cell AS INT) > w.m - 1 AND b.ts >= w.e - INTERVAL '10' SECOND AND b.ts <= w.e;
