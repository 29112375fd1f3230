-- Audit replay: what was done in the last year, from the files of the audit log.
--
-- The log was copied with retries, so some lines stand in it twice. Each event counts
-- once, by its id. The pipeline reads the folder to its end and stops: run it again,
-- with another question, on the same files.

SET 'table.exec.state.ttl' = '0 ms'; -- the files end, and so does what is kept of them

CREATE TABLE audit_log (
  event_id STRING,
  actor STRING,
  action STRING,
  allowed BOOLEAN,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' HOUR
) WITH (
  'connector' = 'filesystem',
  'path' = 'audit-log',
  'format' = 'json'
);

CREATE TABLE audit_report (
  actor STRING,
  action STRING,
  events BIGINT,
  refused BIGINT,
  PRIMARY KEY (actor, action) NOT ENFORCED
) WITH (
  'connector' = 'print'
);

-- From here on audit-replay.sql and audit-replay-datagen.sql are the same.

CREATE VIEW audit_events AS
SELECT actor, action, allowed
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY ts) AS copy FROM audit_log)
WHERE copy = 1;

INSERT INTO audit_report
SELECT actor, action, COUNT(*), COUNT(*) FILTER (WHERE NOT allowed)
FROM audit_events
GROUP BY actor, action;
