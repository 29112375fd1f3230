INPUT stock_items VALUES
  (1, 'north', 10, 2.50),
  (2, 'north', 0, 99.00),
  (3, 'south', 4, 5.00);
EXPECT stock VALUES ('north', 2, 10, 1, 25.00), ('south', 1, 4, 0, 20.00);

-- UPDATE stock_items SET warehouse = 'north', quantity = 3 WHERE item_id = 3
INPUT stock_items DELETE VALUES (3, 'south', 4, 5.00);
INPUT stock_items VALUES (3, 'north', 3, 5.00);
EXPECT stock VALUES ('north', 3, 13, 1, 40.00);
EXPECT CHANGES stock VALUES ('+', 'north', 3, 13, 1, 40.00);

-- DELETE FROM stock_items
INPUT stock_items DELETE VALUES
  (1, 'north', 10, 2.50),
  (2, 'north', 0, 99.00),
  (3, 'north', 3, 5.00);
EXPECT stock EMPTY;
