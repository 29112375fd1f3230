CREATE TABLE t (a INT) WITH ('rows-per-second' = 5);
