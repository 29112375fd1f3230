-- What the program in this folder keeps up to date from a stream of bookings. The
-- connectors are Go functions of that program, and so are rooms and price.
CREATE TABLE bookings (
  id BIGINT,
  hotel STRING,
  cancelled BOOLEAN,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'bookings'
);

CREATE TABLE availability (
  hotel STRING,
  rooms_left BIGINT,
  PRIMARY KEY (hotel) NOT ENFORCED
) WITH (
  'connector' = 'availability'
);

CREATE TABLE prices (
  hotel STRING,
  `at` TIMESTAMP(3),
  bookings BIGINT,
  price DECIMAL(10, 2)
) WITH (
  'connector' = 'prices'
);

CREATE TABLE notifications (
  hotel STRING,
  rooms_left BIGINT
) WITH (
  'connector' = 'notifications'
);

-- With -state, rows come when their epoch is on disk: ten times a second.
SET 'streamd.epoch.interval' = '100 ms';

-- One row a hotel; it is meant that it stays for ever.
SET 'table.exec.state.ttl' = '0 ms';

CREATE VIEW rooms_by_hotel AS
SELECT hotel, rooms(hotel) - SUM(CASE WHEN cancelled THEN -1 ELSE 1 END) AS rooms_left
FROM bookings
GROUP BY hotel;

INSERT INTO availability SELECT hotel, rooms_left FROM rooms_by_hotel;

-- The more people book within a minute, the more the next room costs.
INSERT INTO prices
SELECT hotel, window_end, COUNT(*), price(hotel, COUNT(*))
FROM TABLE(TUMBLE(TABLE bookings, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
WHERE NOT cancelled
GROUP BY hotel, window_start, window_end;

INSERT INTO notifications
SELECT hotel, rooms_left
FROM rooms_by_hotel
WHERE rooms_left <= 3;
