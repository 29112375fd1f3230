-- Surge pricing: where many riders ask and few drivers are free, the price goes up. The pipeline of surge-pricing.sql on made-up rows:
-- streamd run examples/pipelines/surge-pricing-datagen.sql

CREATE TABLE ride_requests (
  ride_no BIGINT,
  cell_no INT,
  ts TIMESTAMP(3),
  ride_id AS CONCAT('r', CAST(ride_no AS STRING)),
  cell AS CASE cell_no
    WHEN 1 THEN 'airport'
    WHEN 2 THEN 'docks'
    WHEN 3 THEN 'market'
    WHEN 4 THEN 'park'
    ELSE 'station'
  END,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '10',
  'fields.cell_no.min' = '1',
  'fields.cell_no.max' = '5'
);

CREATE TABLE driver_pings (
  driver_no INT,
  cell_no INT,
  `free` BOOLEAN,
  ts TIMESTAMP(3),
  driver_id AS CONCAT('d', CAST(driver_no AS STRING)),
  cell AS CASE cell_no
    WHEN 1 THEN 'airport'
    WHEN 2 THEN 'docks'
    WHEN 3 THEN 'market'
    WHEN 4 THEN 'park'
    ELSE 'station'
  END,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '20',
  'fields.driver_no.min' = '1',
  'fields.driver_no.max' = '200',
  'fields.cell_no.min' = '1',
  'fields.cell_no.max' = '5'
);

CREATE TABLE surge (
  cell STRING,
  as_of TIMESTAMP(3),
  requests BIGINT,
  drivers BIGINT,
  multiplier DOUBLE
) WITH (
  'connector' = 'print'
);

-- From here on surge-pricing.sql and surge-pricing-datagen.sql are the same.

CREATE VIEW demand AS
SELECT cell, window_start, window_end, COUNT(*) AS requests
FROM TABLE(HOP(TABLE ride_requests, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '30' SECOND))
GROUP BY cell, window_start, window_end;

CREATE VIEW supply AS
SELECT cell, window_start, window_end, COUNT(DISTINCT driver_id) AS drivers
FROM TABLE(HOP(TABLE driver_pings, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '30' SECOND))
WHERE `free`
GROUP BY cell, window_start, window_end;

CREATE VIEW pressure AS
SELECT
  d.cell,
  d.window_end AS as_of,
  d.requests,
  COALESCE(s.drivers, 0) AS drivers,
  CAST(d.requests AS DOUBLE) / GREATEST(COALESCE(s.drivers, 0), 1) AS per_driver
FROM demand AS d
  LEFT JOIN supply AS s ON d.cell = s.cell AND d.window_start = s.window_start AND d.window_end = s.window_end;

INSERT INTO surge
SELECT
  cell,
  as_of,
  requests,
  drivers,
  CASE WHEN per_driver < 1.2E0 THEN 1E0 WHEN per_driver > 3E0 THEN 3E0 ELSE ROUND(per_driver, 1) END
FROM pressure;
