-- Bookings: how full each hotel is on each night, and which nights are sold twice.
--
-- Bookings and cancellations are two topics of the same shape. A booking adds its
-- rooms to a night, a cancellation takes them away; the capacity of a hotel changes
-- when a floor is closed.

SET 'table.exec.state.ttl' = '90 d';

CREATE TABLE bookings (
  booking_id STRING,
  hotel STRING,
  night DATE,
  rooms INT
) WITH (
  'connector' = 'kafka',
  'topic' = 'bookings',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE cancellations (
  booking_id STRING,
  hotel STRING,
  night DATE,
  rooms INT
) WITH (
  'connector' = 'kafka',
  'topic' = 'cancellations',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE hotels (
  hotel STRING,
  capacity INT,
  PRIMARY KEY (hotel) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'hotels',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE occupancy (
  hotel STRING,
  night DATE,
  booked BIGINT,
  capacity INT,
  overbooked BOOLEAN,
  PRIMARY KEY (hotel, night) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'occupancy',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
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
