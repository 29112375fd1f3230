-- GROUP BY with a million keys.
CREATE TABLE sink (k BIGINT, n BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT k, COUNT(*), SUM(price) FROM (SELECT MOD(auction * 7919 + bidder, 1000000) AS k, price FROM bid) GROUP BY k;
