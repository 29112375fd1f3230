-- Surge pricing: where many riders ask and few drivers are free, the price goes up.
--
-- Every two seconds, for each cell of the city: the ride requests and the free
-- drivers of the last thirty seconds, and the multiplier that follows.

CREATE TABLE ride_requests (
  ride_id STRING,
  cell STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'ride.requests',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE driver_pings (
  driver_id STRING,
  cell STRING,
  `free` BOOLEAN,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'driver.pings',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE surge (
  cell STRING,
  as_of TIMESTAMP(3),
  requests BIGINT,
  drivers BIGINT,
  multiplier DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'surge',
  'format' = 'json'
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
