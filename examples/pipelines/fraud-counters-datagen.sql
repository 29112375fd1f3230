-- Fraud counters: which cards are used too often, for too much, or in too many places. The pipeline of fraud-counters.sql on made-up rows:
-- streamd run examples/pipelines/fraud-counters-datagen.sql

CREATE TABLE payments (
  payment_no BIGINT,
  card_no INT,
  amount DECIMAL(10, 2),
  country_no INT,
  ts TIMESTAMP(3),
  payment_id AS CONCAT('p', CAST(payment_no AS STRING)),
  card_id AS CONCAT('c', CAST(card_no AS STRING)),
  country AS CASE country_no WHEN 1 THEN 'CH' WHEN 2 THEN 'FR' WHEN 3 THEN 'IT' ELSE 'DE' END,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '20',
  'fields.card_no.min' = '1',
  'fields.card_no.max' = '40',
  'fields.amount.min' = '1',
  'fields.amount.max' = '900',
  'fields.country_no.min' = '1',
  'fields.country_no.max' = '4'
);

CREATE TABLE fraud_alerts (
  card_id STRING,
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  payments BIGINT,
  countries BIGINT,
  total DECIMAL(18, 2),
  reason STRING
) WITH (
  'connector' = 'print'
);

-- From here on fraud-counters.sql and fraud-counters-datagen.sql are the same.

CREATE VIEW card_minutes AS
SELECT
  card_id,
  window_start,
  window_end,
  COUNT(*) AS payments,
  COUNT(DISTINCT country) AS countries,
  SUM(amount) AS total
FROM TABLE(HOP(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '1' MINUTE))
GROUP BY card_id, window_start, window_end;

INSERT INTO fraud_alerts
SELECT
  card_id,
  window_start,
  window_end,
  payments,
  countries,
  CAST(total AS DECIMAL(18, 2)),
  CASE WHEN countries >= 3 THEN 'places' WHEN total > 2000 THEN 'amount' ELSE 'often' END
FROM card_minutes
WHERE payments >= 5 OR countries >= 3 OR total > 2000;
