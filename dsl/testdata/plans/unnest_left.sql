CREATE TABLE t (id BIGINT, tags ARRAY<STRING>, lines ARRAY<ROW<sku STRING, n INT>>, big STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 't', 'format' = 'json');
SELECT id, tag, place FROM t LEFT JOIN UNNEST(tags) WITH ORDINALITY AS u (tag, place) ON TRUE;
