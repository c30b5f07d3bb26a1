/* config: the settings of ww-edge; the table is in config.c. */
#ifndef EDGE_CONFIG_H
#define EDGE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* What one message to another edge may hold: NATS carries 2 MB. */
enum { RELAY_BYTES_MAX = 1900000 };

struct edge_config {
	char *listen, *admin;
	char *edge_name;
	char *log_level;
	int64_t loops, http_threads;
	char *nats_url, *nats_user, *nats_password;
	char *keys_dir, *token_issuer, *token_audience;
	int64_t ping_interval_ms, ping_timeout_ms, connect_timeout_ms, request_timeout_ms;
	int64_t body_timeout_ms, upgrade_timeout_ms, attachment_timeout_ms, max_attachments;
	char *namespaces, *allowed_origins;
	char *trusted_proxies, *exempt_networks;
	int64_t session_rate, session_burst;
	char *recovery_key, *recovery_key_old;
	int64_t recovery_max;
	int64_t max_body_memory;
	int64_t max_user_sockets;
	int64_t event_rate, event_burst, status_rate, status_burst, max_strikes;
	int64_t chat_rate, chat_burst, typing_rate, typing_burst;
	int64_t max_sockets, max_packet, max_payload;
	int64_t queue_bytes, queue_packets, slow_timeout_ms;
	int64_t max_channels, max_calls;
	int64_t track_pending_ms;
	int64_t away_after_ms;
	int64_t presence_beat_ms, friends_wait_ms, presence_silence_ms;
	int64_t room_check_ms, typing_expiry_ms;
	int64_t hole_wait_ms, sweep_interval_ms;
	int64_t drain_ms;
	char *static_dir;
	bool test_hooks;
};

extern const struct config_spec edge_config_spec;

#endif
