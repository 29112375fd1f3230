SELECT a /*+ X */ FROM t;
