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
* ``stop()``: called once at the end; ends what runs.

Arguments and verdicts: ``providers/driver/src/modern`` has the broker's side of them, ``ARGUMENTS`` below the layout.
"""

import sys

_CONN_INFO = (
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
)
_CLIENT = (
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
)
_CREDENTIAL = _CLIENT + ("password", "authentication_method", "authentication_data", "step")
_SESSION = (
    "client_id",
    "created_at",
    "persistent",
    "expiry_interval",
    "subscriptions",
    "inflight",
    "queued",
    "awaiting_release",
)
_MESSAGE = (
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
)

#: Tuples that arguments are made of, field by field. Text arrives as bytes in UTF-8, what is unset as None.
RECORDS = {
    "conn_info": _CONN_INFO,
    "client": _CLIENT,
    "credential": _CREDENTIAL,
    "session": _SESSION,
    "message": _MESSAGE,
}


def adopt(module):
    """The handler of a module that uses ``hookmq``; None when it does not."""
    if "hookmq" not in sys.modules:
        return None
    from hookmq import _driver

    return _driver.adopt(module)
