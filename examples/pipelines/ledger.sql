-- Ledger: the balance of every account, and proof that no money is made or lost.
--
-- Each transfer is two entries: one account gives, another takes. The balances add up
-- to zero at any time, whatever crashed in between. Two results of one pipeline share
-- their source and are decided together.

SET 'table.exec.state.ttl' = '0 ms'; -- an account is kept for ever

CREATE TABLE transfers (
  transfer_id STRING,
  debit STRING,
  credit STRING,
  amount DECIMAL(12, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'transfers',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE balances (
  account STRING,
  entries BIGINT,
  balance DECIMAL(20, 2),
  PRIMARY KEY (account) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'balances',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE trial_balance (
  side STRING,
  accounts BIGINT,
  total DECIMAL(20, 2),
  PRIMARY KEY (side) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'trial.balance',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

-- From here on ledger.sql and ledger-datagen.sql are the same.

CREATE VIEW entries AS
SELECT debit AS account, -amount AS amount
FROM transfers
UNION ALL
SELECT credit AS account, amount
FROM transfers;

CREATE VIEW accounts AS
SELECT account, COUNT(*) AS entries, SUM(amount) AS balance
FROM entries
GROUP BY account;

INSERT INTO balances
SELECT account, entries, CAST(balance AS DECIMAL(20, 2))
FROM accounts;

INSERT INTO trial_balance
SELECT side, COUNT(*), CAST(SUM(balance) AS DECIMAL(20, 2))
FROM (
  SELECT 'all' AS side, balance
  FROM accounts
  UNION ALL
  SELECT CASE WHEN balance < 0 THEN 'owing' ELSE 'owning' END AS side, balance
  FROM accounts
)
GROUP BY side;
