-- A room that everybody has left stays as long as what was said in it, so that it can still be held.
ALTER TABLE chat.rooms ADD COLUMN ended_at timestamptz; -- when the last member left; null: it has members

UPDATE chat.rooms r SET ended_at = now() WHERE NOT EXISTS (SELECT FROM chat.members m WHERE m.room_id = r.room_id);

CREATE INDEX rooms_ended ON chat.rooms (ended_at) WHERE ended_at IS NOT NULL;
