CREATE TABLE sink (auction BIGINT, bidder BIGINT, price BIGINT, itemName STRING, name STRING) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT B.auction, B.bidder, B.price, A.itemName, P.name
FROM bid AS B JOIN auction AS A ON B.auction = A.id JOIN person AS P ON A.seller = P.id WHERE A.category = 10 AND P.state = 'OR';
