-- Bookings: how full each hotel is on each night, and which nights are sold twice. The pipeline of bookings.sql on made-up rows:
-- streamd run examples/pipelines/bookings-datagen.sql

SET 'table.exec.state.ttl' = '90 d';

CREATE TABLE bookings (
  booking_no INT,
  hotel_no INT,
  day_no INT,
  rooms INT,
  hotel AS CASE hotel_no WHEN 1 THEN 'lake' WHEN 2 THEN 'station' ELSE 'park' END,
  night AS CAST(TIMESTAMPADD(DAY, day_no, TIMESTAMP '2026-07-01 00:00:00') AS DATE)
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '20',
  'fields.hotel_no.min' = '1',
  'fields.hotel_no.max' = '3',
  'fields.day_no.min' = '0',
  'fields.day_no.max' = '6',
  'fields.rooms.min' = '1',
  'fields.rooms.max' = '3'
);

CREATE TABLE cancellations (
  booking_no INT,
  hotel_no INT,
  day_no INT,
  rooms INT,
  hotel AS CASE hotel_no WHEN 1 THEN 'lake' WHEN 2 THEN 'station' ELSE 'park' END,
  night AS CAST(TIMESTAMPADD(DAY, day_no, TIMESTAMP '2026-07-01 00:00:00') AS DATE)
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '15',
  'fields.hotel_no.min' = '1',
  'fields.hotel_no.max' = '3',
  'fields.day_no.min' = '0',
  'fields.day_no.max' = '6',
  'fields.rooms.min' = '1',
  'fields.rooms.max' = '3'
);

CREATE VIEW hotels AS
SELECT hotel, capacity
FROM (VALUES ('lake', 80), ('station', 200), ('park', 40)) AS h (hotel, capacity);

CREATE TABLE occupancy (
  hotel STRING,
  night DATE,
  booked BIGINT,
  capacity INT,
  overbooked BOOLEAN,
  PRIMARY KEY (hotel, night) NOT ENFORCED
) WITH (
  'connector' = 'print'
);

-- From here on bookings.sql and bookings-datagen.sql are the same.

CREATE VIEW movements AS
SELECT hotel, night, rooms
FROM bookings
UNION ALL
SELECT hotel, night, -rooms
FROM cancellations;

CREATE VIEW nights AS
SELECT hotel, night, SUM(CAST(rooms AS BIGINT)) AS booked
FROM movements
GROUP BY hotel, night;

INSERT INTO occupancy
SELECT n.hotel, n.night, n.booked, h.capacity, n.booked > h.capacity
FROM nights AS n JOIN hotels AS h ON n.hotel = h.hotel;
