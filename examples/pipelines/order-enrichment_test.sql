INPUT customers VALUES (1, 'Anna', 'Bern');
INPUT orders VALUES (100, 1, 25.00), (101, 2, 7.50);
EXPECT enriched_orders VALUES
  (100, 25.00, 'Anna', 'Bern'),
  (101, 7.50, NULL, NULL);

-- The customer of order 101 comes late, and that of order 100 moves.
INPUT customers VALUES (2, 'Bruno', 'Basel'), (1, 'Anna', 'Chur');
EXPECT enriched_orders VALUES
  (100, 25.00, 'Anna', 'Chur'),
  (101, 7.50, 'Bruno', 'Basel');

-- A customer who is deleted takes the name out of the order.
INPUT customers DELETE (customer_id) VALUES (1);
EXPECT enriched_orders VALUES
  (100, 25.00, NULL, NULL),
  (101, 7.50, 'Bruno', 'Basel');
