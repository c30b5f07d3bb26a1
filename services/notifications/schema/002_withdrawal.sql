-- Unread items whose time has come, found without reading the others. An item that expires while it is
-- unread gets state 5, one that is recalled 6: the counters are those of states below 3 alone.
CREATE INDEX inbox_expiring ON notifications.inbox (expires_at) WHERE state < 3 AND expires_at IS NOT NULL;
