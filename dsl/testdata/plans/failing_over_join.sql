CREATE TABLE rides (id BIGINT, cell STRING, n INT) WITH ('connector' = 'mq', 'topic' = 'rides', 'bounded' = 'true');
CREATE TABLE drivers (id BIGINT, free BOOLEAN) WITH ('connector' = 'mq', 'topic' = 'drivers', 'bounded' = 'true');
SELECT r.id FROM rides r JOIN drivers d ON r.id = d.id WHERE d.free AND 10 / r.n > 1 AND r.cell = 'a';
