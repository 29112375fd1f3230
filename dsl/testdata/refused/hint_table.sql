-- want: SD2 6:22, SD2 7:22
CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), r ROW<x INT, y STRING>, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3)) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT /*+ STATE_TTL('r' = '1 d', 'drivers' = '2 d') */ r.cell, COUNT(*) FROM rides AS r JOIN drivers ON r.id = drivers.id GROUP BY r.cell;
SELECT /*+ STATE_TTL('rides' = '1 d') */ cell, COUNT(*) FROM (SELECT * FROM rides) AS x GROUP BY cell;
SELECT /*+ STATE_TTL('rides' = '1 d') */ r.cell, COUNT(*) FROM rides AS r GROUP BY r.cell;
SELECT /*+ STATE_TTL('driver' = '1 d') */ cell, COUNT(*) FROM drivers GROUP BY cell;
