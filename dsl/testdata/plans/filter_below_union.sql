CREATE TABLE rides (id BIGINT, cell STRING, n INT) WITH ('connector' = 'mq', 'topic' = 'rides', 'bounded' = 'true');
CREATE TABLE drivers (id BIGINT, free BOOLEAN) WITH ('connector' = 'mq', 'topic' = 'drivers', 'bounded' = 'true');
SELECT * FROM (SELECT id, cell FROM rides UNION ALL SELECT id, 'd' FROM drivers) WHERE cell = 'a';
