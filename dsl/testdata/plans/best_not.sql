-- Top 1s over joins of which more pairs than the best of each key are wanted.
SET 'table.exec.state.ttl' = '0 ms';
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 1) WHERE rn <= 2;
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.n ORDER BY r.id DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 2) WHERE rn <= 1;
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC, d.id) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 3) WHERE rn <= 1;
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC) AS rn FROM rides r LEFT JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 4) WHERE rn <= 1;
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 5 WHERE 10 / d.id > r.n) WHERE rn <= 1;
SELECT id FROM (SELECT r.id, 10 / d.id AS x, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 6) WHERE rn <= 1 AND x > 1;
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.cell DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell AND COALESCE(r.id, d.id) <> 7) WHERE rn <= 1;
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell) WHERE rn <= 1;
SELECT r.id, d.id FROM rides r JOIN drivers d ON r.cell = d.cell;
