-- Average closing price by category: an aggregate of an updating aggregate over a join.
CREATE TABLE sink (id BIGINT, final BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT category, AVG(final) FROM (
  SELECT MAX(b.price) AS final, a.category, a.id FROM auction AS a JOIN bid AS b ON a.id = b.auction
  WHERE b.`dateTime` BETWEEN a.`dateTime` AND a.expires GROUP BY a.id, a.category) GROUP BY category;
