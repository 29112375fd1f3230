-- Fraud counters: which cards are used too often, for too much, or in too many places.
--
-- A stolen card is tried in small payments one after the other, then emptied. Every
-- ten seconds each card's last minute is counted; a card that paid five times or
-- more, in three countries or more, or over 2000 in all is an alert.

CREATE TABLE payments (
  payment_id STRING,
  card_id STRING,
  amount DECIMAL(10, 2),
  country STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'payments',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
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
  'connector' = 'kafka',
  'topic' = 'fraud.alerts',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
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
