CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE cars (id BIGINT, cell STRING, pt AS PROCTIME()) WITH ('connector' = 'mq', 'topic' = 'cars');
CREATE TABLE trips (id BIGINT, pt AS PROCTIME()) WITH ('connector' = 'mq', 'topic' = 'trips');
SET 'table.local-time-zone' = 'UTC';
-- Bounds in ON, exclusive ones shift by a millisecond; the window after it stands on a padded time.
WITH x AS (SELECT r.ts, d.ts AS dts, d.id AS did FROM rides r LEFT JOIN drivers d ON r.cell = d.cell AND d.ts > r.ts - INTERVAL '10' SECOND AND r.ts + INTERVAL '1' MINUTE >= d.ts AND d.free)
SELECT window_start, COUNT(did) FROM TABLE(TUMBLE(TABLE x, DESCRIPTOR(dts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
-- In WHERE, behind a condition that may fail.
SELECT r.id, d.id FROM rides r, drivers d WHERE 10 / r.n > 1 AND r.cell = d.cell AND d.ts BETWEEN r.ts - INTERVAL '5' SECOND AND r.ts AND r.price > 1 AND r.id < d.id;
-- Equal times (J15); processing times.
SELECT r.id, d.id FROM rides r JOIN drivers d ON r.ts = d.ts AND r.cell = d.cell;
SELECT c.id FROM cars c FULL JOIN trips t ON c.id = t.id AND c.pt BETWEEN t.pt - INTERVAL '5' SECOND AND t.pt + INTERVAL '5' SECOND;
-- Three tables: the watermark of two joined ones is held back.
SELECT r.id, d.id, e.id FROM rides r JOIN drivers d ON r.cell = d.cell AND d.ts BETWEEN r.ts AND r.ts + INTERVAL '1' HOUR
JOIN drivers e ON e.id = d.id AND e.ts BETWEEN d.ts - INTERVAL '1' MINUTE AND d.ts + INTERVAL '1' MINUTE;
-- A window's time beside a row's.
SELECT r.id, m.c FROM rides r JOIN (SELECT cell, window_time AS wt, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE rides, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY cell, window_start, window_end, window_time) m
ON r.cell = m.cell AND r.ts BETWEEN m.wt - INTERVAL '59.999' SECOND AND m.wt;
