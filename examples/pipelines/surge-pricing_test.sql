-- Two riders ask at the airport, one at the docks, where a driver is free.
INPUT ride_requests VALUES
  ('r1', 'airport', '2026-01-01 10:00:01.000'),
  ('r2', 'airport', '2026-01-01 10:00:01.500'),
  ('r3', 'docks', '2026-01-01 10:00:01.900');
INPUT driver_pings VALUES
  ('d1', 'docks', TRUE, '2026-01-01 10:00:00.500'),
  ('d1', 'docks', TRUE, '2026-01-01 10:00:01.500'),
  ('d2', 'airport', FALSE, '2026-01-01 10:00:01.700');
EXPECT surge EMPTY;

-- A window fires when both topics have passed its end.
WATERMARK ride_requests TO TIMESTAMP '2026-01-01 10:00:02';
EXPECT surge EMPTY;
WATERMARK driver_pings TO TIMESTAMP '2026-01-01 10:00:02';
EXPECT demand (cell, window_end, requests) VALUES
  ('airport', '2026-01-01 10:00:02', 2),
  ('docks', '2026-01-01 10:00:02', 1);
EXPECT supply (cell, drivers) VALUES ('docks', 1);
EXPECT surge VALUES
  ('airport', '2026-01-01 10:00:02', 2, 0, 2.0),
  ('docks', '2026-01-01 10:00:02', 1, 1, 1.0);
EXPECT CHANGES surge VALUES
  ('+', 'airport', '2026-01-01 10:00:02', 2, 0, 2.0),
  ('+', 'docks', '2026-01-01 10:00:02', 1, 1, 1.0);

-- The multiplier stops at three.
INPUT ride_requests VALUES
  ('r4', 'airport', '2026-01-01 10:00:03'),
  ('r5', 'airport', '2026-01-01 10:00:03');
WATERMARK ride_requests TO TIMESTAMP '2026-01-01 10:00:04';
WATERMARK driver_pings TO TIMESTAMP '2026-01-01 10:00:04';
EXPECT CHANGES surge VALUES
  ('+', 'airport', '2026-01-01 10:00:04', 4, 0, 3.0),
  ('+', 'docks', '2026-01-01 10:00:04', 1, 1, 1.0);
