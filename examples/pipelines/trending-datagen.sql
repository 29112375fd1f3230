-- Trending: the three most watched videos of every ten seconds, and how they rank. The pipeline of trending.sql on made-up rows:
-- streamd run examples/pipelines/trending-datagen.sql

SET 'table.exec.state.ttl' = '1 h';

CREATE TABLE video_views (
  video_no INT,
  viewer_no INT,
  ts TIMESTAMP(3),
  video AS CONCAT('video ', CAST(video_no AS STRING)),
  viewer AS CONCAT('viewer ', CAST(viewer_no AS STRING)),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '100',
  'fields.video_no.min' = '1',
  'fields.video_no.max' = '30',
  'fields.viewer_no.min' = '1',
  'fields.viewer_no.max' = '1000'
);

CREATE TABLE trending (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  place BIGINT,
  video STRING,
  viewers BIGINT,
  PRIMARY KEY (window_start, window_end, place) NOT ENFORCED
) WITH (
  'connector' = 'print'
);

-- From here on trending.sql and trending-datagen.sql are the same.

CREATE VIEW watched AS
SELECT video, window_start, window_end, COUNT(DISTINCT viewer) AS viewers
FROM TABLE(TUMBLE(TABLE video_views, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY video, window_start, window_end;

INSERT INTO trending
SELECT window_start, window_end, place, video, viewers
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY viewers DESC, video) AS place
  FROM watched
)
WHERE place <= 3;
