CREATE TABLE rides (id BIGINT, cell STRING, n INT) WITH ('connector' = 'mq', 'topic' = 'rides', 'bounded' = 'true');
CREATE TABLE drivers (id BIGINT, free BOOLEAN) WITH ('connector' = 'mq', 'topic' = 'drivers', 'bounded' = 'true');
SELECT * FROM (SELECT id, n + 1 AS m, cell FROM rides) WHERE cell <> 'a' AND 10 / m > 1 AND id = 3;
