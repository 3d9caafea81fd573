"""
The way to handlers written with the ``hookmq`` package. The driver asks ``hookmq._driver.adopt(module)`` for each module that imported it:

``adopt(module)`` returns None when the module has no handler of that kind, else an object with

* ``callbacks``: list of ``(hook, target, topics, observe)``; hook is a name such as ``'message.publish'``, target a text for logs, topics a list of
  str (empty: all), observe True when nobody is to wait for the answer. Complete after ``start``. Calls name a callback by its place.
* ``ordered``: True when the calls with one key (a client id) are handled in the order in which they come.
* ``warnings``: list of str for the log.
* ``start(send)``: called once; what it raises makes the load fail. ``send(replies)`` may be called later from any thread.
* ``handle(calls)``: ``calls`` is a list of ``(id, callback, key, args)``; returns the replies that are there at once, in the forms of ``channel``:
  ``id`` for None, ``(id, value)``, ``(id, type, text, traceback, place)`` (``hookmq_driver.failures.describe(error)`` gives the last four). The others are
  given to ``send`` when they are there.
* ``abandon(ids)``, where it is of use: nobody waits for these calls any more. A reply may still be sent.
* ``stop()``: called once at the end; ends what runs.

Text arrives as bytes in UTF-8, what is unset as None, pairs as a list of tuples. ``RECORDS`` names the fields of the tuples that arguments are made
of, ``ARGUMENTS`` the arguments of each hook. A property of MQTT 5 is ``(b'Content-Type', value)``, ``User-Property`` has a list of pairs.

A verdict is None (no opinion), or

* ``('ok', value)``: go on; ``('stop', value)``: ask no further hook. The value is None for "as it is";
  on client.authenticate and client.authorize ``('allow', superuser, client_id, username, attributes, expires_at, cacheable)``, each but the last may be None, or
  ``('deny', reason_code, reason, cacheable)``; on message.publish a list of ``(field, value)`` with the changes alone: topic, payload, qos, retain,
  content_type, response_topic, correlation_data, message_expiry_interval, payload_format_indicator, user_properties (None takes a property away);
* ``('drop', reason)``, ``('reject', reason_code, reason)``, ``('disconnect', reason_code, reason)``; the reason may be None.

In place of str, bytes will do. ``providers/driver/src/modern`` is the other side.
"""

import sys

RECORDS = {
    "conn_info": (
        "socket_type",
        "listener",
        "peer_host",
        "peer_port",
        "socket_host",
        "socket_port",
        "protocol_name",
        "protocol_version",
        "clean_start",
        "client_id",
        "username",
        "keep_alive",
        "properties",
        "session_expiry_interval",
        "receive_maximum",
        "connected_at",
        "disconnected_at",
    ),
    "client": (
        "client_id",
        "username",
        "protocol",
        "protocol_version",
        "listener",
        "peer_host",
        "peer_port",
        "socket_port",
        "mountpoint",
        "superuser",
        "anonymous",
        "bridge",
        "common_name",
        "subject",
        "attributes",
        "expires_at",
        "node",
    ),
    "credential": ("client", "password", "authentication_method", "authentication_data", "step"),
    "session": ("client_id", "created_at", "persistent", "expiry_interval", "subscriptions", "inflight", "queued"),
    "message": (
        "id",
        "topic",
        "payload",
        "qos",
        "retain",
        "dup",
        "sender",
        "timestamp",
        "properties",
        "username",
        "protocol",
        "peer_host",
        "node",
    ),
    "subscription": (
        "filter",
        "qos",
        "no_local",
        "retain_as_published",
        "retain_handling",
        "subscription_identifier",
    ),
}

ARGUMENTS = {
    "client.connect": ("conn_info", "properties"),
    "client.connack": ("conn_info", "reason_code", "reason", "properties"),
    "client.connected": ("client", "conn_info"),
    "client.disconnected": ("client", "reason", "conn_info"),
    "client.authenticate": ("credential", "allowed"),
    "client.authorize": ("client", "action", "topic", "qos", "retain", "allowed"),
    "client.subscribe": ("client", "properties", "subscriptions"),
    "client.unsubscribe": ("client", "properties", "filters"),
    "client.ping": ("client", "conn_info"),
    "session.created": ("client", "session"),
    "session.resumed": ("client", "session"),
    "session.discarded": ("client", "session"),
    "session.takenover": ("client", "session"),
    "session.subscribed": ("client", "subscription", "is_new"),
    "session.unsubscribed": ("client", "subscription"),
    "session.terminated": ("client", "reason", "session"),
    "message.publish": ("message",),
    "message.delivered": ("client", "message"),
    "message.acked": ("client", "message"),
    "message.dropped": ("message", "reason"),
    "delivery.dropped": ("client", "message", "reason"),
}


def adopt(module):
    """The handler of a module that uses ``hookmq``; None when it does not."""
    if "hookmq" not in sys.modules:
        return None
    from hookmq import _driver

    return _driver.adopt(module)
