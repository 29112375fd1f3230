SELECT * FROM a JOIN ON a.x = b.x;
