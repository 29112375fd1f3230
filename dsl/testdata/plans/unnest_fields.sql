CREATE TABLE t (id BIGINT, tags ARRAY<STRING>, lines ARRAY<ROW<sku STRING, n INT>>, big STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 't', 'format' = 'json');
SELECT id, sku FROM t CROSS JOIN UNNEST(lines) AS l WHERE id > 3 AND n > 1;
