-- Trending: the three most watched videos of every ten seconds, and how they rank.
--
-- Views are counted in windows; of each window the first three go out, once, when it
-- is over. Of two videos with as many views the first in the alphabet wins.

SET 'table.exec.state.ttl' = '1 h';

CREATE TABLE video_views (
  video STRING,
  viewer STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'video.views',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE trending (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  place BIGINT,
  video STRING,
  viewers BIGINT,
  PRIMARY KEY (window_start, window_end, place) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'trending',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
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
