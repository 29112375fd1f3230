-- Rows as they come, Kafka to Kafka, exactly once.
CREATE TABLE src (id BIGINT, pad STRING)
  WITH ('connector' = 'kafka', 'topic' = '${TOPIC}', 'format' = 'json', 'scan.startup.mode' = 'latest-offset', 'properties.bootstrap.servers' = '${BROKER}');
CREATE TABLE sink (id BIGINT, pad STRING)
  WITH ('connector' = 'kafka', 'topic' = '${OUT}', 'format' = 'json', 'properties.bootstrap.servers' = '${BROKER}');
INSERT INTO sink SELECT id + 0, pad FROM src;
