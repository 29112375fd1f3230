-- CDC view: the stock of every warehouse, kept up to date from a database. The pipeline of cdc-view.sql on made-up rows:
-- streamd run examples/pipelines/cdc-view-datagen.sql

SET 'table.exec.state.ttl' = '0 ms'; -- one row an item is kept for ever: that is the database's size

CREATE TABLE stock_changes (
  item_id BIGINT,
  warehouse_no INT,
  quantity INT,
  price DECIMAL(10, 2),
  changed AS PROCTIME()
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '10',
  'fields.item_id.min' = '1',
  'fields.item_id.max' = '50',
  'fields.warehouse_no.min' = '1',
  'fields.warehouse_no.max' = '3',
  'fields.quantity.min' = '0',
  'fields.quantity.max' = '100',
  'fields.price.min' = '1',
  'fields.price.max' = '50'
);

CREATE VIEW stock_items AS
SELECT
  item_id,
  CASE warehouse_no WHEN 1 THEN 'north' WHEN 2 THEN 'south' ELSE 'harbour' END AS warehouse,
  quantity,
  price
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item_id ORDER BY changed DESC) AS newest FROM stock_changes)
WHERE newest = 1;

CREATE TABLE stock (
  warehouse STRING,
  items BIGINT,
  pieces BIGINT,
  sold_out BIGINT,
  worth DECIMAL(20, 2),
  PRIMARY KEY (warehouse) NOT ENFORCED
) WITH (
  'connector' = 'print'
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
