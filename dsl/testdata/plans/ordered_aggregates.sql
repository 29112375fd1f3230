CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, extra STRING) WITH ('connector' = 'mq', 'topic' = 'bid');
CREATE TABLE sink (k BIGINT, l STRING, d STRING, a ARRAY<BIGINT>, c MULTISET<STRING> NOT NULL, f BIGINT, s BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'print');
INSERT INTO sink SELECT auction, LISTAGG(channel, ' ' || '|'), LISTAGG(DISTINCT channel) FILTER (WHERE price > 5), ARRAY_AGG(price) IGNORE NULLS,
  COLLECT(channel), LAST_VALUE(bidder), STDDEV(price)
FROM bid GROUP BY auction;
