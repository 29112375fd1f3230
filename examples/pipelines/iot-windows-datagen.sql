-- IoT windows: what each machine did in every minute. The pipeline of iot-windows.sql on made-up rows:
-- streamd run examples/pipelines/iot-windows-datagen.sql

CREATE TABLE readings (
  machine_no INT,
  temperature DOUBLE,
  ts TIMESTAMP(3),
  machine AS CONCAT('press-', CAST(machine_no AS STRING)),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '50',
  'fields.machine_no.min' = '1',
  'fields.machine_no.max' = '8',
  'fields.temperature.min' = '15',
  'fields.temperature.max' = '210'
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
  'connector' = 'print'
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
