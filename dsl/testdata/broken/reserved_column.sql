CREATE TABLE t (a INT, order INT);
