-- want: SD5 2:157
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'kafka', 'topic-pattern' = 'x.*', 'format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.topic' = 'x-dead');
SELECT a FROM t;
