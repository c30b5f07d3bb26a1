#!/usr/bin/env python3
"""Publishes a completed payment, with nothing but Python's standard library.

usage: publisher.py USER PAYMENT_ID AMOUNT CURRENCY

Shows what every publisher has to do, in any language: encode an Event (proto/walletwire/v1/event.proto),
publish it on ww.event.<kind> under a Nats-Msg-Id, and wait for the acknowledgement of the stream. Run again
with the same payment it changes nothing. With a NATS client and generated protobuf code it is ten lines.

Environment: WW_NATS_URL (nats://127.0.0.1:4222), WW_NATS_PASSWORDS_DIR (its file `backend` has the password).
Exit code: 0 stored, 1 not stored, 2 misused.
"""

import hashlib
import json
import os
import pathlib
import re
import secrets
import socket
import sys
import time
import urllib.parse

USER = "backend"
TIMEOUT_S = 10
MAX_UNITS = 2**53 - 1
MAX_ID = 128  # bytes
COMPLETED = 2  # TransactionStatus

# --- protobuf: a varint, and a field with a length ---


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field * 8) + varint(value)


def block(field, data):
    return varint(field * 8 + 2) + varint(len(data)) + data


def text(field, value):
    return block(field, value.encode())


def decimal(amount):
    """Decimal { units = 1; scale = 2 }: money is whole numbers, never a float."""
    match = re.fullmatch(r"(\d+)(?:\.(\d{1,18}))?", amount)
    units = int(match[1] + (match[2] or "")) if match else MAX_UNITS + 1
    if units > MAX_UNITS:
        raise ValueError(f"AMOUNT must be a decimal like 12.90, below 2^53 units: {amount!r}")
    return number(1, units) + number(2, len(match[2] or ""))


def check_id(name, value):
    """What is wrong with an id is refused here: a line end in a message id would end the header it is in."""
    if not 0 < len(value.encode()) <= MAX_ID or re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError(f"{name} must have 1 to {MAX_ID} bytes and no control characters: {value!r}")


def event_id_of(payment_id, status):
    """Names the event: pending would be another one. Without another "/" no two payments share a name."""
    escaped = payment_id.replace("%", "%25").replace("/", "%2F")
    event_id = f"{escaped}/{status}"
    return event_id if len(event_id.encode()) <= MAX_ID else hashlib.sha256(event_id.encode()).hexdigest()


def payment_event(event_id, user, payment_id, amount, currency):
    now_ns = time.time_ns()
    occurred_at = number(1, now_ns // 10**9) + number(2, now_ns % 10**9)
    payment = text(1, payment_id) + number(2, COMPLETED) + block(3, decimal(amount)) + text(4, currency)
    return text(1, event_id) + text(2, user) + block(4, occurred_at) + block(19, payment)


# --- NATS: a line each way ---


class Nats:
    def __init__(self, url, user, password):
        address = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port or 4222), TIMEOUT_S)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()  # INFO
        options = {"verbose": False, "headers": True, "user": user, "pass": password}
        self.inbox = f"_INBOX.{user}.{secrets.token_hex(8)}"
        self.send(f"CONNECT {json.dumps(options)}\r\nSUB {self.inbox} 1\r\n".encode())

    def send(self, data):
        self.socket.sendall(data)

    def publish(self, subject, message_id, data):
        """Returns what the stream answered."""
        headers = f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\n\r\n".encode()
        head = f"HPUB {subject} {self.inbox} {len(headers)} {len(headers) + len(data)}\r\n"
        self.send(head.encode() + headers + data + b"\r\n")
        while True:
            verb, *words = self.lines.readline().decode().split() or ["-ERR", "closed"]
            if verb == "PING":
                self.send(b"PONG\r\n")
            elif verb == "MSG":
                return json.loads(self.lines.read(int(words[-1]) + 2))
            elif verb == "HMSG":
                raise OSError("no stream listens")
            elif verb == "-ERR":
                raise OSError(" ".join(words))


def main(args):
    if len(args) != 4:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    user, payment_id, amount, currency = args
    try:
        check_id("USER", user)
        check_id("PAYMENT_ID", payment_id)
        event_id = event_id_of(payment_id, "completed")
        if not re.fullmatch(r"[A-Z0-9]{1,12}", currency):
            raise ValueError(f"CURRENCY must have 1 to 12 of A-Z and 0-9: {currency!r}")
        event = payment_event(event_id, user, payment_id, amount, currency)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    password = (pathlib.Path(os.environ["WW_NATS_PASSWORDS_DIR"]) / USER).read_text().strip()
    nats = Nats(os.environ.get("WW_NATS_URL", "nats://127.0.0.1:4222"), USER, password)
    try:
        ack = nats.publish("ww.event.payment", f"payment/{event_id}", event)
    except OSError as error:
        print(f"not stored: {error}", file=sys.stderr)
        return 1
    if "error" in ack:
        print(f"not stored: {ack['error']['description']}", file=sys.stderr)
        return 1
    print(f"{event_id} stored as {ack['seq']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
