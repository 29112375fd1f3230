SELECT a AS end FROM t;
