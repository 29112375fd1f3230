INPUT hotels VALUES ('lake', 5), ('park', 2);
INPUT bookings VALUES
  ('b1', 'lake', '2026-07-01', 3),
  ('b2', 'lake', '2026-07-01', 3),
  ('b3', 'lake', '2026-07-02', 1),
  ('b4', 'park', '2026-07-01', 2);
EXPECT occupancy VALUES
  ('lake', '2026-07-01', 6, 5, TRUE),
  ('lake', '2026-07-02', 1, 5, FALSE),
  ('park', '2026-07-01', 2, 2, FALSE);

INPUT cancellations VALUES ('b2', 'lake', '2026-07-01', 3);
INPUT hotels VALUES ('park', 1);
EXPECT occupancy VALUES
  ('lake', '2026-07-01', 3, 5, FALSE),
  ('lake', '2026-07-02', 1, 5, FALSE),
  ('park', '2026-07-01', 2, 1, TRUE);
