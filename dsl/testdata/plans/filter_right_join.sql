CREATE TABLE rides (id BIGINT, cell STRING, n INT) WITH ('connector' = 'mq', 'topic' = 'rides', 'bounded' = 'true');
CREATE TABLE drivers (id BIGINT, free BOOLEAN) WITH ('connector' = 'mq', 'topic' = 'drivers', 'bounded' = 'true');
SELECT r.id, d.id FROM rides r RIGHT JOIN drivers d ON r.id = d.id WHERE r.n = 1 AND d.free;
