/*
 * reflect: protobuf messages <-> the JSON clients and back ends see, by their descriptors.
 *
 * One walker serves every message, so a new kind of event needs no code here
 * (docs/adr/0003-reflection.md). The mapping, both ways:
 *   - a field's name is its proto3 JSON name (wallet_id -> walletId), but for available_balance and
 *     pending_balance, which the wallet's front ends read as they are;
 *   - scalars and repeated fields always stand; an absent sub-message or oneof member is left out;
 *   - google.protobuf.Timestamp is "2025-01-23T10:30:45.123Z";
 *   - Decimal is a number with exactly its scale of digits; on the way in it is a decimal string or
 *     {"units":..,"scale":..}, and every JSON number is refused;
 *   - an enum value is lower case without its type's prefix (PRIORITY_HIGH -> "high"), 0 is "";
 *   - 64-bit integers are numbers, bounded by 2^53-1;
 *   - bytes are base64;
 *   - a message that is one oneof and nothing else (Payload) is its member, without a key; on the
 *     way in the key stands, since nothing else could tell which member it is;
 *   - a message whose only field is the repeated `values` (StringList) is the array;
 *   - a map is an object.
 *   - a field named `caller` or `error` never comes in and never goes out: it is the envelope's.
 */
#ifndef CODEC_REFLECT_H
#define CODEC_REFLECT_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json;

/* The message, one of ours and valid, as a JSON object (array or member, see above). */
void reflect_append_json(struct buf *out, const ProtobufCMessage *message);

/* Only its members: `"a":1,"b":2` without braces, for splicing; false if there was none. */
bool reflect_append_json_members(struct buf *out, const ProtobufCMessage *message);

/*
 * For logs and tools: like reflect_append_json(), but what fields hold that are declared to be more
 * than open (sensitivity.h) is "***"; empty texts are left out, `caller` stands, and Payload keeps
 * its member's key.
 */
void reflect_append_masked(struct buf *out, const ProtobufCMessage *message);

/*
 * A message from JSON, in the arena. Unknown keys, wrong types, values out of range, text that is
 * not clean UTF-8 or longer than `max_text` code points fail with STATUS_INVALID and err->field set
 * to the path ("security.severity", "ids.3"). A message above the arena's limit fails with
 * STATUS_TOO_LARGE. A null value is an absent one; NULL or null for the whole is an empty message.
 */
enum status reflect_from_json(const ProtobufCMessageDescriptor *descriptor,
    const struct json *value, size_t max_text, struct arena *arena, ProtobufCMessage **ret_message,
    struct err *err) MUST_CHECK;

/*
 * Decode protobuf bytes from outside into the arena: at most REFLECT_UNPACK_MAX, bounded by the
 * arena's limit, and validated as JSON is (UTF-8, no NUL, enum ranges, Decimal and Timestamp
 * bounds, integers within 2^53-1, no map key twice). Unknown fields are kept, for what is newer
 * than this build.
 */
enum { REFLECT_UNPACK_MAX = 512 * 1024 };
enum status reflect_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
    struct arena *arena, ProtobufCMessage **ret_message, struct err *err) MUST_CHECK;

/*
 * The member that is set of a message's oneof, which stands alone (Payload) or beside other fields
 * (Event): its descriptor, or NULL. *ret_member is its value, NULL if that is no message.
 */
const ProtobufCFieldDescriptor *reflect_oneof_member(
    const ProtobufCMessage *message, ProtobufCMessage **ret_member);

/* The JSON name of a field: at most 63 characters. */
void reflect_json_name(const char *proto_name, char ret_name[static 64]);

/* The client's word for an enum value: "p2p_send"; "" for 0 and unknown values. */
void reflect_enum_word(
    const ProtobufCEnumDescriptor *descriptor, int value, char ret_word[static 64]);
/* The reverse; false if there is no such word. */
bool reflect_enum_value(
    const ProtobufCEnumDescriptor *descriptor, struct bytes word, int *ret_value);

#endif
