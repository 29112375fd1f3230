-- want: SD5 6:5, SD5 7:7, SD5 8:1, SD5 12:5, SD5 13:5
SET 'table.local-time-zone' = 'Asia/Tokyo';
CREATE VIEW v AS SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS TIMESTAMP(0));
SET 'table.local-time-zone' = 'Asia/Tokyo';
SET 'streamd.join.retention' = 'off';
SET 'table.local-time-zone' = 'UTC';
RESET 'table.local-time-zone';
RESET;
SET 'streamd.on-error' = 'fail';
SET 'table.exec.state.ttl' = '1 d';
SELECT * FROM v;
SET 'streamd.on-error' = 'skip';
SET 'streamd.join.retention' = 'off';
