"""The broker's arguments as events, field by field when somebody asks. Their layout: ``hookmq_driver.modern``."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from hookmq_driver.modern import ARGUMENTS, RECORDS

from . import events
from ._record import Loaders, Record, view

Read = Callable[[Any], Any]


def _place(hook: str, name: str) -> int:
    return ARGUMENTS[hook].index(name)


def _field(record: str, name: str) -> Read:
    index = RECORDS[record].index(name)
    return lambda values: values[index]


def _text(record: str, name: str) -> Read:
    index = RECORDS[record].index(name)

    def read(values: Any) -> str:
        value = values[index]
        return "" if value is None else str(value, "utf-8", "replace")

    return read


def _optional(record: str, name: str) -> Read:
    index = RECORDS[record].index(name)

    def read(values: Any) -> Optional[str]:
        value = values[index]
        return None if value is None else str(value, "utf-8", "replace")

    return read


def _inside(at: int, loaders: Loaders) -> Loaders:
    """Loaders of a record that is the argument at a place."""

    def shifted(read: Read) -> Read:
        return lambda args: read(args[at])

    return {name: shifted(read) for name, read in loaders.items()}


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, bool) else str(value)


def _properties(pairs: Any) -> Mapping[str, str]:
    return {_shown(name): _shown(value) for name, value in pairs if name != b"User-Property"}


def _user_properties(pairs: Any) -> events.UserProperties:
    for name, value in pairs:
        if name == b"User-Property":
            return tuple((_shown(key), _shown(text)) for key, text in value)
    return ()


CLIENT: Loaders = {
    "client_id": _text("client", "client_id"),
    "username": _optional("client", "username"),
    "peerhost": _text("client", "peer_host"),
    "peerport": _field("client", "peer_port"),
    "sockport": _field("client", "socket_port"),
    "protocol": _text("client", "protocol"),
    "mountpoint": _text("client", "mountpoint"),
    "superuser": _field("client", "superuser"),
    "anonymous": _field("client", "anonymous"),
    "cn": _optional("client", "common_name"),
    "dn": _optional("client", "subject"),
    "node": _text("client", "node"),
}

CONNECT: Loaders = {
    "client_id": _text("conn_info", "client_id"),
    "username": _optional("conn_info", "username"),
    "peerhost": _text("conn_info", "peer_host"),
    "peerport": _field("conn_info", "peer_port"),
    "sockport": _field("conn_info", "socket_port"),
    "protocol_name": _text("conn_info", "protocol_name"),
    "protocol_version": _field("conn_info", "protocol_version"),
    "keep_alive": _field("conn_info", "keep_alive"),
    "node": lambda values: "",
}
_CONNECT_PROPERTIES = _field("conn_info", "properties")
CONNECT["properties"] = lambda values: _properties(_CONNECT_PROPERTIES(values))
CONNECT["user_properties"] = lambda values: _user_properties(_CONNECT_PROPERTIES(values))

_MESSAGE_PROPERTIES = _field("message", "properties")


def _property(name: bytes) -> Read:
    def read(values: Any) -> Any:
        for key, value in _MESSAGE_PROPERTIES(values):
            if key == name:
                return value
        return None

    return read


def _text_property(name: bytes) -> Read:
    find = _property(name)

    def read(values: Any) -> Optional[str]:
        value = find(values)
        return None if value is None else _shown(value)

    return read


def _number_property(name: bytes) -> Read:
    find = _property(name)

    def read(values: Any) -> Optional[int]:
        value = find(values)
        return None if value is None else int(value)

    return read


MESSAGE: Loaders = {
    "topic": _text("message", "topic"),
    "payload": _field("message", "payload"),
    "qos": _field("message", "qos"),
    "retain": _field("message", "retain"),
    "from_client": _text("message", "sender"),
    "username": _optional("message", "username"),
    "protocol": _text("message", "protocol"),
    "peerhost": _optional("message", "peer_host"),
    "id": _text("message", "id"),
    "timestamp": _field("message", "timestamp"),
    "node": _text("message", "node"),
    "content_type": _text_property(b"Content-Type"),
    "response_topic": _text_property(b"Response-Topic"),
    "correlation_data": _property(b"Correlation-Data"),
    "message_expiry_interval": _number_property(b"Message-Expiry-Interval"),
    "payload_format_indicator": _number_property(b"Payload-Format-Indicator"),
    "user_properties": lambda values: _user_properties(_MESSAGE_PROPERTIES(values)),
    "headers": lambda values: {},
}

_FILTER = RECORDS["subscription"].index("filter")
_QOS = RECORDS["subscription"].index("qos")
_NO_LOCAL = RECORDS["subscription"].index("no_local")
_RETAIN_AS_PUBLISHED = RECORDS["subscription"].index("retain_as_published")
_RETAIN_HANDLING = RECORDS["subscription"].index("retain_handling")


def _subscription(values: Any) -> events.Subscription:
    return events.Subscription(
        _shown(values[_FILTER]),
        values[_QOS] or 0,
        bool(values[_NO_LOCAL]),
        bool(values[_RETAIN_AS_PUBLISHED]),
        values[_RETAIN_HANDLING] or 0,
    )


def _client(args: Any) -> events.ClientInfo:
    return view(events.ClientInfo, CLIENT, args[0])


def _message(at: int) -> Read:
    return lambda args: view(events.Message, MESSAGE, args[at])


def _argument(hook: str, name: str, read: Read = _shown) -> Read:
    at = _place(hook, name)
    return lambda args: read(args[at])


def _with_properties(hook: str) -> Loaders:
    return {
        "properties": _argument(hook, "properties", _properties),
        "user_properties": _argument(hook, "properties", _user_properties),
    }


_CREDENTIALS: Loaders = {
    **_inside(0, _inside(RECORDS["credential"].index("client"), CLIENT)),
    **_inside(0, {"password": _optional("credential", "password")}),
    "allowed": _argument("client.authenticate", "allowed", bool),
}

_LOADERS: Dict[str, Loaders] = {
    "client.connack": {
        "connect": lambda args: view(events.ConnectInfo, CONNECT, args[0]),
        "result": _argument("client.connack", "reason"),
        **_with_properties("client.connack"),
    },
    "client.connect": {**_inside(0, CONNECT), **_with_properties("client.connect")},
    "client.disconnected": {"client": _client, "reason": _argument("client.disconnected", "reason")},
    "client.authenticate": _CREDENTIALS,
    "client.authorize": {
        "client": _client,
        "action": _argument("client.authorize", "action"),
        "topic": _argument("client.authorize", "topic"),
        "allowed": _argument("client.authorize", "allowed", bool),
    },
    "client.subscribe": {
        "client": _client,
        "filters": _argument("client.subscribe", "subscriptions", lambda all: tuple(map(_subscription, all))),
        **_with_properties("client.subscribe"),
    },
    "client.unsubscribe": {
        "client": _client,
        "filters": _argument("client.unsubscribe", "filters", lambda all: tuple(map(_shown, all))),
        **_with_properties("client.unsubscribe"),
    },
    "session.subscribed": {
        "client": _client,
        "subscription": _argument("session.subscribed", "subscription", _subscription),
    },
    "session.unsubscribed": {
        "client": _client,
        "topic": _argument("session.unsubscribed", "subscription", lambda values: _shown(values[_FILTER])),
    },
    "session.terminated": {"client": _client, "reason": _argument("session.terminated", "reason")},
    "message.delivered": {"client": _client, "message": _message(_place("message.delivered", "message"))},
    "message.acked": {"client": _client, "message": _message(_place("message.acked", "message"))},
    "message.dropped": {
        "message": _message(_place("message.dropped", "message")),
        "reason": _argument("message.dropped", "reason"),
    },
}


def _maker(hook: str, kind: type[Record]) -> Callable[[Tuple[Any, ...]], Record]:
    if hook == "message.publish":
        return lambda args: view(events.Message, MESSAGE, args[0])
    loaders = _LOADERS.get(hook)
    if loaders is None:
        return _client
    return lambda args: view(kind, loaders, args)


def _makers() -> Dict[str, Callable[[Tuple[Any, ...]], Record]]:
    from .points import POINTS

    return {name: _maker(name, point.event) for name, point in POINTS.items()}


#: From the arguments of a call to what handlers are given.
MAKERS = _makers()
