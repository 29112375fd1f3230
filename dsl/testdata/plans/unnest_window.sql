CREATE TABLE t (id BIGINT, tags ARRAY<STRING>, lines ARRAY<ROW<sku STRING, n INT>>, big STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mq', 'topic' = 't', 'format' = 'json');
SELECT tag, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE), UNNEST(tags) AS u (tag) GROUP BY window_start, window_end, tag;
