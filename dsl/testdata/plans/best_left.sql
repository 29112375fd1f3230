-- The best ride of each cell that has a driver, the ordered side on the left; rank is 1 and ties are cut by NULLS FIRST.
SET 'table.exec.state.ttl' = '0 ms';
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT id, driver, rn FROM (SELECT r.*, d.id AS driver, ROW_NUMBER() OVER (PARTITION BY d.cell ORDER BY r.n DESC NULLS FIRST, r.ts) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell) WHERE rn = 1;
