-- Funnel: of those who saw an offer, how many filled the cart, and how many paid.
--
-- Per campaign and five minutes: the visitors at each stage, and the share that got
-- to the end. A visitor counts once a stage, however often the page is loaded.

CREATE TABLE clicks (
  visitor STRING,
  campaign STRING,
  stage STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'shop.clicks',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE funnel (
  campaign STRING,
  window_start TIMESTAMP(3),
  saw BIGINT,
  filled BIGINT,
  paid BIGINT,
  share DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'shop.funnel',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

-- From here on funnel.sql and funnel-datagen.sql are the same.

CREATE VIEW stages AS
SELECT
  campaign,
  window_start,
  window_end,
  COUNT(DISTINCT visitor) FILTER (WHERE stage = 'view') AS saw,
  COUNT(DISTINCT visitor) FILTER (WHERE stage = 'cart') AS filled,
  COUNT(DISTINCT visitor) FILTER (WHERE stage = 'pay') AS paid
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '5' MINUTE))
GROUP BY campaign, window_start, window_end;

INSERT INTO funnel
SELECT
  campaign,
  window_start,
  saw,
  filled,
  paid,
  CASE WHEN saw > 0 THEN ROUND(CAST(paid AS DOUBLE) / CAST(saw AS DOUBLE), 3) END
FROM stages;
