CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, extra STRING) WITH ('connector' = 'mq', 'topic' = 'bid');
CREATE TABLE sink (j STRING, a INT, b INT, c STRING, d BOOLEAN) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT JSON_OBJECT('u' : url, KEY 'p' VALUE JSON_ARRAY(price, bidder) ABSENT ON NULL),
  JSON_VALUE(extra, '$.a' RETURNING INT DEFAULT 1 ON EMPTY ERROR ON ERROR), JSON_VALUE(extra, '$.a' RETURNING INT),
  JSON_QUERY(extra, '$.b' WITH CONDITIONAL ARRAY WRAPPER EMPTY OBJECT ON ERROR), JSON_EXISTS(extra, 'strict $.c' UNKNOWN ON ERROR)
FROM bid;
