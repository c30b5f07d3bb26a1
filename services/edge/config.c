/* Every setting of ww-edge. */
#include "config.h"

#include "base/attrs.h"
#include "base/rate.h"
#include "codec/socketio.h"

#define ROW(field, name, type, dflt, min, max, help) \
	SETTING(struct edge_config, field, name, type, dflt, min, max, help)

static const struct setting settings[] = {
	ROW(listen, "listen", SETTING_TEXT, "127.0.0.1:3000", 0, 0,
	    "Address and port for clients; port 0 picks a free one"),
	ROW(admin, "admin", SETTING_TEXT, "127.0.0.1:0", 0, 0,
	    "Address and port of /healthz, /readyz and /metrics"),
	ROW(edge_name, "edge-id", SETTING_TEXT, "edge", 0, 0,
	    "Name of this edge; a random part is added at every start"),
	ROW(log_level, "log-level", SETTING_TEXT, "info", 0, 0, "debug, info, warn or error"),
	ROW(loops, "loops", SETTING_INT, "0", 0, 64, "Event loop threads; 0: one per core"),
	ROW(http_threads, "http-threads", SETTING_INT, "8", 2, 256,
	    "Threads that read request heads; a client holds one only until it is adopted"),
	ROW(nats_url, "nats-url", SETTING_TEXT, "nats://127.0.0.1:4222", 0, 0, "NATS server"),
	ROW(nats_user, "nats-user", SETTING_TEXT, "edge", 0, 0, "NATS user"),
	ROW(nats_password, "nats-password", SETTING_SECRET, "", 0, 0, "NATS password"),
	ROW(keys_dir, "keys-dir", SETTING_TEXT, NULL, 0, 0,
	    "Folder of token keys: <kid>.hs256, <kid>.rs256.pem, <kid>.es256.pem"),
	ROW(token_issuer, "token-issuer", SETTING_TEXT, "", 0, 0, "Required `iss`; empty: any"),
	ROW(token_audience, "token-audience", SETTING_TEXT, "", 0, 0, "Required `aud`; empty: any"),
	ROW(ping_interval_ms, "ping-interval", SETTING_DURATION, "25s", 100, 600000,
	    "Time between a pong and the next ping"),
	ROW(ping_timeout_ms, "ping-timeout", SETTING_DURATION, "20s", 100, 600000,
	    "How long a client may take to answer a ping"),
	ROW(connect_timeout_ms, "connect-timeout", SETTING_DURATION, "10s", 100, 600000,
	    "How long a connection may be without a namespace"),
	ROW(request_timeout_ms, "request-timeout", SETTING_DURATION, "5s", 100, 60000,
	    "How long a service may take to answer"),
	ROW(body_timeout_ms, "body-timeout", SETTING_DURATION, "10s", 100, 600000,
	    "How long the body of a request may take to arrive"),
	ROW(upgrade_timeout_ms, "upgrade-timeout", SETTING_DURATION, "10s", 100, 600000,
	    "How long a client may take to move from polling to a WebSocket"),
	ROW(attachment_timeout_ms, "attachment-timeout", SETTING_DURATION, "10s", 100, 600000,
	    "How long a packet may wait for the attachments it announced"),
	ROW(max_attachments, "max-attachments", SETTING_INT, "10", 0, SOCKETIO_ATTACHMENTS_CAP,
	    "Most attachments of one packet"),
	ROW(namespaces, "namespaces", SETTING_TEXT, "/ops", 0, 0,
	    "Namespaces beside \"/\"; each is for tokens whose `role` is its name"),
	ROW(allowed_origins, "allowed-origins", SETTING_TEXT, "", 0, 0,
	    "Pages that may connect: a list of origins, or *; empty: pages of this edge's own "
	    "host"),
	ROW(trusted_proxies, "trusted-proxies", SETTING_TEXT, "", 0, 0,
	    "Networks of load balancers, whose X-Forwarded-For is believed"),
	ROW(exempt_networks, "exempt-networks", SETTING_TEXT, "", 0, 0,
	    "Networks whose clients may begin any number of sessions"),
	ROW(session_rate, "session-rate", SETTING_INT, "20", 0, RATE_PER_S_MAX,
	    "New sessions a second of one client address (IPv6: of a /64); 0: any number"),
	ROW(session_burst, "session-burst", SETTING_INT, "100", 1, RATE_PER_S_MAX,
	    "New sessions at once of an address that has rested"),
	ROW(event_rate, "event-rate", SETTING_INT, "20", 0, RATE_PER_S_MAX,
	    "Events a second of one socket; 0: any number"),
	ROW(event_burst, "event-burst", SETTING_INT, "40", 1, RATE_PER_S_MAX,
	    "Events at once of a socket that has rested"),
	ROW(max_strikes, "max-strikes", SETTING_INT, "200", 0, RATE_PER_S_MAX,
	    "Refused events and packets of no use after which a connection is closed; two are "
	    "forgiven each second; 0: never"),
	ROW(max_sockets, "max-sockets", SETTING_INT, "18000", 1, 1000000,
	    "Connections held at once"),
	ROW(max_packet, "max-packet", SETTING_SIZE, "64KiB", 1024, 16777216,
	    "Largest Socket.IO packet a client may send"),
	ROW(max_payload, "max-payload", SETTING_SIZE, "1000000", 1024, RELAY_BYTES_MAX,
	    "Largest Engine.IO payload, announced in the handshake"),
	ROW(max_body_memory, "max-body-memory", SETTING_SIZE, "64MiB", 1048576, 17179869184,
	    "Most bytes of request bodies that may be read at once"),
	ROW(queue_bytes, "queue-bytes", SETTING_SIZE, "1MiB", 65536, 1073741824,
	    "Most bytes that may wait for one socket"),
	ROW(queue_packets, "queue-packets", SETTING_INT, "1024", 16, 1000000,
	    "Most packets that may wait for one socket"),
	ROW(recovery_key, "recovery-key", SETTING_SECRET, "", 0, 0,
	    "Seals what clients recover with; the same on all edges; empty: nothing is recovered"),
	ROW(recovery_key_old, "recovery-key-old", SETTING_SECRET, "", 0, 0,
	    "The key before, still accepted while it is replaced"),
	ROW(recovery_max, "recovery-max", SETTING_INT, "500", 0, 100000,
	    "Most missed items that are replayed to a recovering client"),
	ROW(max_channels, "max-channels", SETTING_INT, "200", 4, 10000,
	    "Channels one socket may have joined"),
	ROW(max_calls, "max-calls", SETTING_INT, "32", 1, 1024,
	    "Requests of one socket that may wait for services at once"),
	ROW(hole_wait_ms, "hole-wait", SETTING_DURATION, "50ms", 0, 10000,
	    "How long a missing mailbox number may still arrive by itself"),
	ROW(sweep_interval_ms, "sweep-interval", SETTING_DURATION, "60s", 100, 3600000,
	    "In what time every user's mailbox head is compared once"),
	ROW(test_hooks, "test-hooks", SETTING_BOOL, "false", 0, 0,
	    "Serve POST /test/drop on the admin port; never in production"),
};

static const struct setting *const tables[] = { settings, NULL };
static const size_t table_lens[] = { ARRAY_LEN(settings) };

const struct config_spec edge_config_spec = {
	.program = "ww-edge",
	.summary = "Holds the sockets of wallet clients and delivers what concerns them.",
	.tables = tables,
	.table_lens = table_lens,
};
