-- Ledger: the balance of every account, and proof that no money is made or lost. The pipeline of ledger.sql on made-up rows:
-- streamd run examples/pipelines/ledger-datagen.sql

SET 'table.exec.state.ttl' = '0 ms'; -- an account is kept for ever

CREATE TABLE transfers (
  transfer_no INT,
  debit_no INT,
  credit_no INT,
  amount DECIMAL(12, 2),
  debit AS CONCAT('account ', CAST(debit_no AS STRING)),
  credit AS CONCAT('account ', CAST(credit_no AS STRING))
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '20',
  'fields.debit_no.min' = '1',
  'fields.debit_no.max' = '10',
  'fields.credit_no.min' = '1',
  'fields.credit_no.max' = '10',
  'fields.amount.min' = '1',
  'fields.amount.max' = '500'
);

CREATE TABLE balances (
  account STRING,
  entries BIGINT,
  balance DECIMAL(20, 2),
  PRIMARY KEY (account) NOT ENFORCED
) WITH (
  'connector' = 'print'
);

CREATE TABLE trial_balance (
  side STRING,
  accounts BIGINT,
  total DECIMAL(20, 2),
  PRIMARY KEY (side) NOT ENFORCED
) WITH (
  'connector' = 'print'
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
