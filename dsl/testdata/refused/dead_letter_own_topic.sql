-- want: SD5 2:150
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'kafka', 'topic' = 'x; y', 'format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.topic' = 'y');
SELECT a FROM t;
