-- :rows payments more for the 1,000 users, who have one each, as the applier would have left them. For `./dev bench growth`.
SELECT nextval('notifications.body_ids') AS first_body \gset
SELECT setval('notifications.body_ids', ((:first_body + :rows) / 4096 + 1) * 4096) \gset
CREATE TEMP TABLE made AS
	SELECT 'user-' || n % 1000 AS user_id, n / 1000 + 2 AS seq, :first_body + n AS body_id, 'made-' || n AS event_id
	FROM generate_series(0, :rows - 1) n;
CREATE TEMP TABLE first AS
	SELECT i.*, b.payload FROM notifications.inbox i JOIN notifications.bodies b USING (body_id) WHERE i.seq = 1;
INSERT INTO notifications.bodies (body_id, event_key, payload, keep, created_at)
	SELECT m.body_id, 'payment/' || m.event_id, f.payload, true, now() FROM made m JOIN first f USING (user_id);
INSERT INTO notifications.mailbox (user_id, seq, body_id, applied_at)
	SELECT user_id, seq, body_id, now() FROM made;
INSERT INTO notifications.inbox (user_id, seq, body_id, event_id, type, priority, title, text, created_at)
	SELECT m.user_id, m.seq, m.body_id, m.event_id, f.type, f.priority, f.title, f.text, f.created_at
	FROM made m JOIN first f USING (user_id);
SELECT 'applied_' || CASE applied_period % 2 WHEN 0 THEN 'a' ELSE 'b' END AS applied FROM notifications.progress \gset
INSERT INTO notifications.:applied (event_key, applied_at, users, seqs)
	SELECT 'payment/' || event_id, now(), ARRAY[user_id], ARRAY[seq] FROM made;
UPDATE notifications.users u SET seq = u.seq + m.n, rev = u.rev + m.n, unread[3] = u.unread[3] + m.n
	FROM (SELECT user_id, count(*) AS n FROM made GROUP BY user_id) m WHERE u.user_id = m.user_id;
