INPUT audit_log VALUES
  ('e1', 'anna', 'login', TRUE, '2025-03-01 08:00:00'),
  ('e2', 'anna', 'export', FALSE, '2025-03-01 08:01:00'),
  ('e1', 'anna', 'login', TRUE, '2025-03-01 08:00:00'),
  ('e3', 'bruno', 'login', TRUE, '2025-04-01 09:00:00'),
  ('e4', 'anna', 'export', TRUE, '2025-03-01 08:02:00');
WATERMARK audit_log TO TIMESTAMP '2026-01-01 00:00:00';
EXPECT audit_report VALUES
  ('anna', 'login', 1, 0),
  ('anna', 'export', 2, 1),
  ('bruno', 'login', 1, 0);
