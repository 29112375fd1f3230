-- want: SD4 4:95
CREATE TABLE a (k BIGINT, v INT) WITH ('connector' = 'mq', 'topic' = 'a');
CREATE TABLE b (k BIGINT, v INT) WITH ('connector' = 'mq', 'topic' = 'b');
SELECT a.k FROM a LEFT JOIN (SELECT k, COUNT(*) AS n FROM b GROUP BY k) AS c ON a.k = c.k AND n > RAND_INTEGER(5);
