-- The unread counters live in the user's row, which every batch locks and writes anyway: triples of type,
-- priority and how many, sorted, none of them 0. Whoever reads them finds rows in the view.
ALTER TABLE notifications.users
	ADD COLUMN unread integer[] NOT NULL DEFAULT '{}' CONSTRAINT unread_not_below_0 CHECK (0 <= ALL (unread));
UPDATE notifications.users u SET unread = c.unread FROM (
	SELECT user_id, array_agg(v.x ORDER BY type, priority, v.o) AS unread
	FROM notifications.unread, unnest(ARRAY[type::integer, priority::integer, n]) WITH ORDINALITY AS v(x, o)
	WHERE n > 0 GROUP BY user_id) c
WHERE c.user_id = u.user_id;
DROP TABLE notifications.unread;
CREATE VIEW notifications.unread AS
	SELECT u.user_id, u.unread[i]::smallint AS type, u.unread[i + 1]::smallint AS priority, u.unread[i + 2] AS n
	FROM notifications.users u, generate_series(1, cardinality(u.unread), 3) AS i;

-- What is left of counters when some of their items leave. Less than nothing is stored nowhere: the check
-- of the column refuses it.
CREATE FUNCTION notifications.unread_less(counters integer[], types smallint[], priorities smallint[], gone integer[])
RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(array_agg(v.x ORDER BY type, priority, v.o), '{}')
	FROM (SELECT type, priority, sum(n)::integer AS n FROM (
			SELECT counters[i] AS type, counters[i + 1] AS priority, counters[i + 2] AS n
			FROM generate_series(1, cardinality(counters), 3) AS i
			UNION ALL SELECT g.type, g.priority, -g.n FROM unnest(types, priorities, gone) AS g(type, priority, n)) x
		GROUP BY type, priority HAVING sum(n) <> 0) c,
		unnest(ARRAY[c.type, c.priority, c.n]) WITH ORDINALITY AS v(x, o)
$$;
