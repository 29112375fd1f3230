EXPLAIN SET 'a' = 'b';
