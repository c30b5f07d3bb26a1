-- :rooms groups of ten members with a hundred messages each, over the last 20 hours, as ww-chat would have left them.
-- Room n has user-n for its owner. For `./dev bench history`.
SET timezone = 'UTC';
-- Six hours each, named as ww-chat names them (libs/db/partition.c); what is not past is there.
SELECT format('CREATE TABLE chat.%I (LIKE chat.messages_expiring INCLUDING ALL)', name),
	format('ALTER TABLE chat.messages_expiring ATTACH PARTITION chat.%I FOR VALUES FROM (%L) TO (%L)', name, "from", "from" + interval '6 hours')
	FROM (SELECT 'messages_expiring_' || to_char("from", 'YYYYMMDDHH24') AS name, "from"
		FROM generate_series(date_bin('6 hours', now(), '2000-01-01') - interval '24 hours', now(), '6 hours') AS "from") AS wanted
	WHERE to_regclass('chat.' || name) IS NULL \gexec
INSERT INTO chat.rooms (room_id, type, name, creator_id, seq)
	SELECT 'room-' || n, 2, 'Room ' || n, 'user-' || n, 100 FROM generate_series(0, :rooms - 1) n;
INSERT INTO chat.members (room_id, user_id, role, joins_as, from_seq, read_seq)
	SELECT 'room-' || n, 'user-' || (n + m * 37) % :rooms, CASE m WHEN 0 THEN 1 ELSE 3 END, 3, 0, 50
	FROM generate_series(0, :rooms - 1) n, generate_series(0, 9) m;
-- In the order of time, so that those of a room do not lie side by side.
INSERT INTO chat.messages (class, created_at, room_id, seq, message_id, sender_id, client_id, text)
	SELECT 0, now() - interval '20 hours' + s * interval '12 minutes', 'room-' || n, s, md5(n || '/' || s), 'user-' || n, 'made-' || s,
		'What somebody says takes about as much room as this line does.'
	FROM generate_series(1, 100) s, generate_series(0, :rooms - 1) n;
