-- CDC view: the stock of every warehouse, kept up to date from a database.
--
-- Debezium writes each change of the table stock_items into a topic: what was added,
-- changed and deleted. The view follows it, as if the database were asked again and
-- again, without asking it.

SET 'table.exec.state.ttl' = '0 ms'; -- one row an item is kept for ever: that is the database's size

CREATE TABLE stock_items (
  item_id BIGINT,
  warehouse STRING,
  quantity INT,
  price DECIMAL(10, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'inventory.stock_items',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'debezium-json'
);

CREATE TABLE stock (
  warehouse STRING,
  items BIGINT,
  pieces BIGINT,
  sold_out BIGINT,
  worth DECIMAL(20, 2),
  PRIMARY KEY (warehouse) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'stock',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

-- From here on cdc-view.sql and cdc-view-datagen.sql are the same.

INSERT INTO stock
SELECT
  warehouse,
  COUNT(*),
  SUM(CAST(quantity AS BIGINT)),
  COUNT(*) FILTER (WHERE quantity = 0),
  CAST(SUM(quantity * price) AS DECIMAL(20, 2))
FROM stock_items
GROUP BY warehouse;
