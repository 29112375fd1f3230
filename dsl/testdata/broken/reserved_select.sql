SELECT group FROM t;
