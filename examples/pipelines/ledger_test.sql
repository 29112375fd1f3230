INPUT transfers VALUES
  ('t1', 'bank', 'anna', 100.00),
  ('t2', 'anna', 'bruno', 30.50);
EXPECT balances VALUES
  ('bank', 1, -100.00),
  ('anna', 2, 69.50),
  ('bruno', 1, 30.50);
EXPECT trial_balance VALUES
  ('all', 3, 0.00),
  ('owing', 1, -100.00),
  ('owning', 2, 100.00);

INPUT transfers VALUES ('t3', 'bruno', 'bank', 100.00);
EXPECT balances VALUES
  ('bank', 2, 0.00),
  ('anna', 2, 69.50),
  ('bruno', 2, -69.50);
EXPECT trial_balance VALUES
  ('all', 3, 0.00),
  ('owing', 1, -69.50),
  ('owning', 2, 69.50);
