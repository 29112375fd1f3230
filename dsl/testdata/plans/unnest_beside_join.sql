CREATE TABLE t (id BIGINT, tags ARRAY<STRING>, lines ARRAY<ROW<sku STRING, n INT>>, big STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 't', 'format' = 'json');
SELECT a.id, tag FROM t a, t b, UNNEST(b.tags) AS u (tag) WHERE a.id = b.id AND a.big = tag;
