CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
CREATE TABLE o (cell STRING, c BIGINT, PRIMARY KEY (cell) NOT ENFORCED) WITH ('connector' = 'mq-upsert', 'topic' = 'o');
INSERT INTO o SELECT cell, COUNT(*) FROM rides GROUP BY cell;
INSERT INTO o SELECT cell, id FROM rides;
