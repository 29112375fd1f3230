-- Order enrichment: each order with the name and the city of its customer.
--
-- Orders and customers come from two topics, in any order. An order whose customer
-- is not known yet goes out without a name, and again when the customer comes or
-- moves: the topic of results holds one row an order, the newest.

SET 'table.exec.state.ttl' = '30 d';

CREATE TABLE orders (
  order_id BIGINT,
  customer_id BIGINT,
  amount DECIMAL(10, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE customers (
  customer_id BIGINT,
  name STRING,
  city STRING,
  PRIMARY KEY (customer_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'customers',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE enriched_orders (
  order_id BIGINT,
  amount DECIMAL(10, 2),
  name STRING,
  city STRING,
  PRIMARY KEY (order_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'orders.enriched',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
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
