CREATE TABLE rides (id BIGINT, cell STRING, price DECIMAL(10, 2), n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'rides');
CREATE TABLE drivers (id BIGINT, cell STRING, free BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'mq', 'topic' = 'drivers');
SELECT /*+ STATE_TTL('r' = '1 h', 'd' = '2 h'), BROADCAST(d) */ r.id FROM rides /*+ OPTIONS('scan.watermark.emit.strategy' = 'on-event', 'scan.watermark.idle-timeout' = '5 s') */ r JOIN drivers d ON r.id = d.id;
