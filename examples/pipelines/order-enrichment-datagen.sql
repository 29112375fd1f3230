-- Order enrichment: each order with the name and the city of its customer. The pipeline of order-enrichment.sql on made-up rows:
-- streamd run examples/pipelines/order-enrichment-datagen.sql

SET 'table.exec.state.ttl' = '30 d';

CREATE TABLE orders (
  order_id BIGINT,
  customer_id BIGINT,
  amount DECIMAL(10, 2)
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.order_id.kind' = 'sequence',
  'fields.order_id.start' = '1',
  'fields.order_id.end' = '1000000',
  'fields.customer_id.min' = '1',
  'fields.customer_id.max' = '20',
  'fields.amount.min' = '1',
  'fields.amount.max' = '200'
);

CREATE TABLE customer_changes (
  customer_id BIGINT,
  city_no INT,
  changed AS PROCTIME()
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1',
  'fields.customer_id.min' = '1',
  'fields.customer_id.max' = '20',
  'fields.city_no.min' = '1',
  'fields.city_no.max' = '3'
);

CREATE VIEW customers AS
SELECT
  customer_id,
  CONCAT('customer ', CAST(customer_id AS STRING)) AS name,
  CASE city_no WHEN 1 THEN 'Bern' WHEN 2 THEN 'Basel' ELSE 'Chur' END AS city
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY changed DESC) AS newest FROM customer_changes)
WHERE newest = 1;

CREATE TABLE enriched_orders (
  order_id BIGINT,
  amount DECIMAL(10, 2),
  name STRING,
  city STRING,
  PRIMARY KEY (order_id) NOT ENFORCED
) WITH (
  'connector' = 'print'
);

-- From here on order-enrichment.sql and order-enrichment-datagen.sql are the same.

CREATE VIEW last_orders AS
SELECT order_id, MAX(customer_id) AS customer_id, MAX(amount) AS amount
FROM orders
GROUP BY order_id;

INSERT INTO enriched_orders
SELECT o.order_id, o.amount, c.name, c.city
FROM last_orders AS o LEFT JOIN customers AS c ON o.customer_id = c.customer_id
ON CONFLICT DO DEDUPLICATE;
