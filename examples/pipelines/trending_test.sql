INPUT video_views VALUES
  ('cats', 'v1', '2026-01-01 10:00:01'),
  ('cats', 'v2', '2026-01-01 10:00:02'),
  ('cats', 'v2', '2026-01-01 10:00:03'),
  ('dogs', 'v1', '2026-01-01 10:00:04'),
  ('dogs', 'v2', '2026-01-01 10:00:04'),
  ('dogs', 'v3', '2026-01-01 10:00:05'),
  ('fish', 'v1', '2026-01-01 10:00:06'),
  ('bees', 'v1', '2026-01-01 10:00:07'),
  ('cats', 'v1', '2026-01-01 10:00:11');
EXPECT trending EMPTY;
WATERMARK video_views TO TIMESTAMP '2026-01-01 10:00:10';
EXPECT trending (window_end, place, video, viewers) VALUES
  ('2026-01-01 10:00:10', 1, 'dogs', 3),
  ('2026-01-01 10:00:10', 2, 'cats', 2),
  ('2026-01-01 10:00:10', 3, 'bees', 1);
WATERMARK video_views TO TIMESTAMP '2026-01-01 10:00:20';
EXPECT trending (place, video) VALUES
  (1, 'dogs'),
  (2, 'cats'),
  (3, 'bees'),
  (1, 'cats');
