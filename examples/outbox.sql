-- How a wallet tells its users of what it does, in the transaction in which it does it. Needs
-- services/outbox/outbox.sql; docs/outbox.md explains the order of the steps.

CREATE TABLE IF NOT EXISTS wallets (
	id text PRIMARY KEY,
	owner text NOT NULL,
	currency text NOT NULL,
	balance numeric(20, 2) NOT NULL CHECK (balance >= 0),
	version bigint NOT NULL DEFAULT 0
);

CREATE OR REPLACE FUNCTION wallet_pay(wallet text, payment text, price numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	w wallets;
BEGIN
	-- 1. The row of the wallet is locked first. From here to the commit nobody else writes for this key,
	--    so the ids of its events are in the order of the commits.
	UPDATE wallets SET balance = balance - price, version = version + 1
	WHERE id = wallet RETURNING * INTO STRICT w;

	-- 2. Then the events. Money is text: a JSON number is binary for many who read it, and is refused.
	INSERT INTO walletwire_outbox.events (key, type, event) VALUES
	(w.id, 'payment', jsonb_build_object(
		'id', payment || '/completed', -- names the event, so that it is applied once whatever is repeated
		'userIds', jsonb_build_array(w.owner),
		'payment', jsonb_build_object(
			'status', 'completed', 'amount', price::numeric(20, 2)::text, 'currency', w.currency,
			'referenceId', payment))),
	(w.id, 'balance', jsonb_build_object(
		'id', w.id || '/' || w.version,
		'userIds', jsonb_build_array(w.owner),
		'balance', jsonb_build_object(
			'walletId', w.id, 'available_balance', w.balance::text, 'currency', w.currency,
			'version', w.version)));

	-- 3. The commit makes the payment and its events true together.
END
$$;

INSERT INTO wallets VALUES ('w1', 'alice', 'EUR', 100.00) ON CONFLICT DO NOTHING;

-- SELECT wallet_pay('w1', 'p1', 12.90);
