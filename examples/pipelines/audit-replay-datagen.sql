-- Audit replay: what was done in the last year, from the files of the audit log. The pipeline of audit-replay.sql on made-up rows:
-- streamd run examples/pipelines/audit-replay-datagen.sql

SET 'table.exec.state.ttl' = '0 ms'; -- the files end, and so does what is kept of them

CREATE TABLE audit_log (
  event_no INT,
  actor_no INT,
  action_no INT,
  allowed BOOLEAN,
  ts TIMESTAMP(3),
  event_id AS CONCAT('e', CAST(event_no AS STRING)),
  actor AS CONCAT('user-', CAST(actor_no AS STRING)),
  action AS CASE action_no WHEN 1 THEN 'login' WHEN 2 THEN 'export' ELSE 'delete' END,
  WATERMARK FOR ts AS ts - INTERVAL '1' HOUR
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '10000',
  'number-of-rows' = '5000',
  'fields.event_no.min' = '1',
  'fields.event_no.max' = '3000',
  'fields.actor_no.min' = '1',
  'fields.actor_no.max' = '5',
  'fields.action_no.min' = '1',
  'fields.action_no.max' = '3',
  'fields.ts.max-past' = '30 min'
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
