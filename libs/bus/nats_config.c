/*
 * nats-server.conf: of a server that keeps the streams (a hub, if leaves may come), and of a leaf.
 *
 * A leaf stands beside one program on its host, which reaches it in plain text on loopback, and is
 * that program at the hub: it signs in as its NATS user, so the hub gives it that user's rights and
 * no others. It has no JetStream. nats-server keeps $JS.API, $KV and $OBJ from crossing a leaf's
 * link, unless both sides say that the account's default domain has no name (ADR 0014).
 */
#include <ctype.h>

#include "bus/nats_config.h"
#include "bus/provision.h"

/* \" \\ and \xHH are known. */
void nats_quote(struct buf *out, const char *text)
{
	buf_append_char(out, '"');
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_appendf(out, "\\%c", *c);
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			buf_appendf(out, "\\x%02X", (unsigned)*c);
		else
			buf_append_char(out, *c);
	}
	buf_append_char(out, '"');
}

/* As a part of a URL. */
static void append_encoded(struct buf *out, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (isalnum(*c))
			buf_append_char(out, (char)*c);
		else
			buf_appendf(out, "%%%02X", *c);
	}
}

static void append_common(const struct nats_server_config *cfg, struct buf *out)
{
	buf_appendf(out, "host: \"%s\"\nport: %d\nserver_name: ", cfg->host, cfg->port);
	nats_quote(out, cfg->server_name);
	buf_append_str(out, "\n");
	if (cfg->http_port)
		buf_appendf(out, "http: \"127.0.0.1:%d\"\n", cfg->http_port);
	buf_append_str(out, "max_payload: 2MB\n"
			    "max_pending: 32MB\n"
			    "max_control_line: 1KB\n"
			    "write_deadline: \"2s\"\n"
			    "ping_interval: \"20s\"\n");
}

static void append_tls(const char *dir, struct buf *out)
{
	static const struct {
		const char *key, *file;
	} files[] = {
		{ "cert_file", "tls.crt" },
		{ "key_file", "tls.key" },
		{ "ca_file", "ca.crt" },
	};

	buf_append_str(out, "tls {");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf path = BUF_INIT;

		buf_appendf(&path, "%s/%s", dir, files[i].file);
		buf_appendf(out, " %s: ", files[i].key);
		nats_quote(out, buf_str(&path));
		buf_append_char(out, ',');
		buf_finish(&path);
	}
	buf_append_str(out, " verify: true }");
}

#define NO_DOMAIN "default_js_domain: { APP: \"\" }\n"

void bus_nats_config(const struct nats_server_config *cfg, struct buf *out)
{
	append_common(cfg, out);
	buf_append_str(out, "jetstream {\n  store_dir: ");
	nats_quote(out, cfg->store_dir);
	buf_appendf(out, "\n  max_memory_store: %lld\n  max_file_store: %lld\n}\n",
	    (long long)cfg->max_memory_store, (long long)cfg->max_file_store);
	bus_nats_accounts(/* has_jetstream= */ true, cfg->password, cfg->arg, out);
	if (!cfg->leaf_port)
		return;
	buf_appendf(out, NO_DOMAIN "leafnodes {\n  host: \"%s\"\n  port: %d\n  ", cfg->host,
	    cfg->leaf_port);
	append_tls(cfg->tls_dir, out);
	buf_append_str(out, "\n}\n");
}

void bus_nats_leaf_config(
    const struct nats_server_config *cfg, const char *user, const char *hub, struct buf *out)
{
	struct buf url = BUF_INIT;

	append_common(cfg, out);
	bus_nats_accounts(/* has_jetstream= */ false, cfg->password, cfg->arg, out);
	buf_appendf(&url, "tls://%s:", user);
	append_encoded(&url, cfg->password(cfg->arg, user));
	buf_appendf(&url, "@%s", hub);
	buf_append_str(out, NO_DOMAIN "leafnodes {\n  reconnect: 1\n  remotes: [\n    {\n"
				      "      account: APP\n      url: ");
	nats_quote(out, buf_str(&url));
	buf_append_str(out, "\n      ");
	append_tls(cfg->tls_dir, out);
	buf_append_str(out, "\n    }\n  ]\n}\n");
	buf_finish(&url);
}
