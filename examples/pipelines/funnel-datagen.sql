-- Funnel: of those who saw an offer, how many filled the cart, and how many paid. The pipeline of funnel.sql on made-up rows:
-- streamd run examples/pipelines/funnel-datagen.sql

CREATE TABLE clicks (
  visitor_no INT,
  campaign_no INT,
  stage_no INT,
  ts TIMESTAMP(3),
  visitor AS CONCAT('v', CAST(visitor_no AS STRING)),
  campaign AS CASE campaign_no WHEN 1 THEN 'mail' WHEN 2 THEN 'search' ELSE 'friends' END,
  stage AS CASE WHEN stage_no <= 6 THEN 'view' WHEN stage_no <= 8 THEN 'cart' ELSE 'pay' END,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '100',
  'fields.visitor_no.min' = '1',
  'fields.visitor_no.max' = '2000',
  'fields.campaign_no.min' = '1',
  'fields.campaign_no.max' = '3',
  'fields.stage_no.min' = '1',
  'fields.stage_no.max' = '9'
);

CREATE TABLE funnel (
  campaign STRING,
  window_start TIMESTAMP(3),
  saw BIGINT,
  filled BIGINT,
  paid BIGINT,
  share DOUBLE
) WITH (
  'connector' = 'print'
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
