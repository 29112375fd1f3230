-- IoT windows: what each machine did in every minute.
--
-- Sensors send a temperature every few seconds, some of them twice, some of them
-- nonsense. Readings outside of -50 to 200 degrees are counted and left out.

CREATE TABLE readings (
  machine STRING,
  temperature DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'sensor.readings',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE machine_minutes (
  machine STRING,
  minute_start TIMESTAMP(3),
  readings BIGINT,
  refused BIGINT,
  coldest DOUBLE,
  hottest DOUBLE,
  mean DOUBLE,
  hot BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'machine.minutes',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

-- From here on iot-windows.sql and iot-windows-datagen.sql are the same.

INSERT INTO machine_minutes
SELECT
  machine,
  window_start,
  COUNT(*) FILTER (WHERE temperature BETWEEN -50 AND 200),
  COUNT(*) FILTER (WHERE temperature NOT BETWEEN -50 AND 200),
  MIN(temperature) FILTER (WHERE temperature BETWEEN -50 AND 200),
  MAX(temperature) FILTER (WHERE temperature BETWEEN -50 AND 200),
  ROUND(AVG(temperature) FILTER (WHERE temperature BETWEEN -50 AND 200), 2),
  COUNT(*) FILTER (WHERE temperature > 90 AND temperature <= 200)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY machine, window_start, window_end;
