-- want: SD5 2:151
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'on-error' = 'dead-letter', 'dead-letter.path' = './x/../in/dead', 'dead-letter.topic' = 'a');
SELECT a FROM t;
