-- With a time to live the best pair may expire: the others are wanted.
SET 'table.exec.state.ttl' = '1 h';
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT id FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.cell ORDER BY r.n DESC) AS rn FROM rides r JOIN drivers d ON r.cell = d.cell) WHERE rn <= 1;
