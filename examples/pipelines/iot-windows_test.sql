INPUT readings VALUES
  ('press-1', 20.5, '2026-01-01 10:00:05'),
  ('press-1', 91.0, '2026-01-01 10:00:30'),
  ('press-1', 999.0, '2026-01-01 10:00:31'),
  ('press-2', -60.0, '2026-01-01 10:00:40'),
  ('press-1', 22.0, '2026-01-01 10:01:00');
WATERMARK readings TO TIMESTAMP '2026-01-01 10:01:00';
EXPECT machine_minutes VALUES
  ('press-1', '2026-01-01 10:00:00', 2, 1, 20.5, 91.0, 55.75, 1),
  ('press-2', '2026-01-01 10:00:00', 0, 1, NULL, NULL, NULL, 0);

-- A reading for a minute that is over comes too late.
INPUT readings VALUES ('press-1', 10.0, '2026-01-01 10:00:59');
WATERMARK readings TO TIMESTAMP '2026-01-01 10:02:00';
EXPECT CHANGES machine_minutes VALUES
  ('+', 'press-1', '2026-01-01 10:00:00', 2, 1, 20.5, 91.0, 55.75, 1),
  ('+', 'press-2', '2026-01-01 10:00:00', 0, 1, NULL, NULL, NULL, 0),
  ('+', 'press-1', '2026-01-01 10:01:00', 1, 0, 22.0, 22.0, 22.0, 0);
