-- Marks of an announcement that has ended tell nobody anything: they go in bites, and then it is cleared.
ALTER TABLE notifications.announcements ADD COLUMN cleared boolean NOT NULL DEFAULT false;
CREATE INDEX announcements_to_clear ON notifications.announcements (announcement_seq)
	WHERE change = 1 AND ended > 0 AND NOT cleared;
CREATE INDEX marks_by_announcement ON notifications.marks (announcement_seq);
