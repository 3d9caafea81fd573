"""Requests of ExHook as events: what handlers are given, read when it is asked for."""

from __future__ import annotations

import base64
import json
from operator import attrgetter
from typing import Any, Callable, Dict, Mapping, Optional

from google.protobuf.unknown_fields import UnknownFieldSet

from .. import events
from .._record import Loaders, Record, view


def _optional(name: str) -> Callable[[Any], Optional[str]]:
    read = attrgetter(name)
    return lambda raw: read(raw) or None


def _properties(raw: Any) -> Mapping[str, str]:
    return {one.name: one.value for one in raw.props}


def _user_properties(raw: Any) -> events.UserProperties:
    return tuple((one.name, one.value) for one in getattr(raw, "user_props", ()))


_PROPERTIES: Loaders = {"properties": _properties, "user_properties": _user_properties}
_NO_PROPERTIES: Loaders = {"properties": lambda raw: {}, "user_properties": lambda raw: ()}


def _version(raw: Any) -> int:
    text = raw.conninfo.proto_ver
    return int(text) if text.isdecimal() else 0


CONNECT: Loaders = {
    "client_id": attrgetter("conninfo.clientid"),
    "username": _optional("conninfo.username"),
    "peerhost": attrgetter("conninfo.peerhost"),
    "peerport": attrgetter("conninfo.peerport"),
    "sockport": attrgetter("conninfo.sockport"),
    "protocol_name": attrgetter("conninfo.proto_name"),
    "protocol_version": _version,
    "keep_alive": attrgetter("conninfo.keepalive"),
    "node": attrgetter("conninfo.node"),
    **_PROPERTIES,
}

_CONNECT_ALONE: Loaders = {**CONNECT, **_NO_PROPERTIES}

CLIENT: Loaders = {
    "client_id": attrgetter("clientid"),
    "username": _optional("username"),
    "peerhost": attrgetter("peerhost"),
    "peerport": attrgetter("peerport"),
    "sockport": attrgetter("sockport"),
    "protocol": attrgetter("protocol"),
    "mountpoint": attrgetter("mountpoint"),
    "superuser": attrgetter("is_superuser"),
    "anonymous": attrgetter("anonymous"),
    "cn": _optional("cn"),
    "dn": _optional("dn"),
    "node": attrgetter("node"),
}


def client_of(raw: Any) -> events.ClientInfo:
    return view(events.ClientInfo, CLIENT, raw.clientinfo)


def _inside(name: str) -> Callable[[Any], Any]:
    read = CLIENT[name]
    return lambda raw: read(raw.clientinfo)


CREDENTIALS: Loaders = {
    **{name: _inside(name) for name in CLIENT},
    "password": lambda raw: raw.clientinfo.password or None,
    "allowed": attrgetter("result"),
}


#: Headers of a broker that was asked for all that MQTT 5 has; others do not send them.
FULL = "hookmq."


def _property(name: str) -> Callable[[Any], Optional[str]]:
    header = FULL + "property." + name

    def read(raw: Any) -> Optional[str]:
        headers = raw.message.headers
        if header in headers:
            return str(headers[header])
        for one in getattr(raw, "props", ()):
            if one.name == name:
                return str(one.value)
        return None

    return read


def _number(name: str) -> Callable[[Any], Optional[int]]:
    find = _property(name)

    def read(raw: Any) -> Optional[int]:
        text = find(raw)
        return int(text) if text is not None and text.isdecimal() else None

    return read


def _correlation(raw: Any) -> Optional[bytes]:
    headers = raw.message.headers
    if FULL + "property.Correlation-Data" in headers:
        return base64.b64decode(headers[FULL + "property.Correlation-Data"])
    text = _CORRELATION(raw)
    return None if text is None else text.encode()


_CORRELATION = _property("Correlation-Data")


def _message_user_properties(raw: Any) -> events.UserProperties:
    headers = raw.message.headers
    if FULL + "user_properties" in headers:
        return tuple((name, value) for name, value in json.loads(headers[FULL + "user_properties"]))
    return _user_properties(raw)


#: ``raw`` is any request with a ``message``.
MESSAGE: Loaders = {
    "topic": attrgetter("message.topic"),
    "payload": attrgetter("message.payload"),
    "qos": attrgetter("message.qos"),
    "retain": lambda raw: raw.message.headers.get(FULL + "retain") == "true",
    "from_client": lambda raw: getattr(raw.message, "from"),
    "username": lambda raw: raw.message.headers.get("username"),
    "protocol": lambda raw: raw.message.headers.get("protocol", "mqtt"),
    "peerhost": lambda raw: raw.message.headers.get("peerhost"),
    "id": attrgetter("message.id"),
    "timestamp": attrgetter("message.timestamp"),
    "node": attrgetter("message.node"),
    "content_type": _property("Content-Type"),
    "response_topic": _property("Response-Topic"),
    "correlation_data": _correlation,
    "message_expiry_interval": _number("Message-Expiry-Interval"),
    "payload_format_indicator": _number("Payload-Format-Indicator"),
    "user_properties": _message_user_properties,
    "headers": lambda raw: {name: value for name, value in raw.message.headers.items() if not name.startswith(FULL)},
}


def message_of(raw: Any) -> events.Message:
    return view(events.Message, MESSAGE, raw)


def _subscription(name: str, options: Any) -> events.Subscription:
    return events.Subscription(name, options.qos, options.nl == 1, options.rap == 1, options.rh)


def _early_qos(raw: Any) -> int:
    for field in UnknownFieldSet(raw):
        if field.field_number == 2 and field.wire_type == 0:
            return int(field.data)
    return 0


def _filter(raw: Any) -> events.Subscription:
    if not raw.HasField("subopts"):  # a broker before EMQX 5.4
        return events.Subscription(raw.name, _early_qos(raw))
    return _subscription(raw.name, raw.subopts)


#: Class and loaders of the event of each hook. The raw value is the whole request.
_LOADERS: Dict[str, Loaders] = {
    "client.connect": CONNECT,
    "client.connack": {
        "connect": lambda raw: view(events.ConnectInfo, _CONNECT_ALONE, raw),
        "result": attrgetter("result_code"),
        **_PROPERTIES,
    },
    "client.disconnected": {"client": client_of, "reason": attrgetter("reason")},
    "client.authenticate": CREDENTIALS,
    "client.authorize": {
        "client": client_of,
        "action": lambda raw: "subscribe" if raw.type else "publish",
        "topic": attrgetter("topic"),
        "allowed": attrgetter("result"),
    },
    "client.subscribe": {
        "client": client_of,
        "filters": lambda raw: tuple(map(_filter, raw.topic_filters)),
        **_PROPERTIES,
    },
    "client.unsubscribe": {
        "client": client_of,
        "filters": lambda raw: tuple(one.name for one in raw.topic_filters),
        **_PROPERTIES,
    },
    "session.subscribed": {"client": client_of, "subscription": lambda raw: _subscription(raw.topic, raw.subopts)},
    "session.unsubscribed": {"client": client_of, "topic": attrgetter("topic")},
    "session.terminated": {"client": client_of, "reason": attrgetter("reason")},
    "message.publish": MESSAGE,
    "message.delivered": {"client": client_of, "message": message_of},
    "message.dropped": {"message": message_of, "reason": attrgetter("reason")},
    "message.acked": {"client": client_of, "message": message_of},
}


def event_maker(hook: str, kind: type[Record]) -> Callable[[Any], Record]:
    """A function from a request to what handlers are given."""
    loaders = _LOADERS.get(hook)
    if loaders is None:
        return client_of
    return lambda raw: view(kind, loaders, raw)


def broker_of(request: Any) -> events.BrokerInfo:
    """From a ProviderLoadedRequest."""
    return events.BrokerInfo(
        request.broker.version,
        request.broker.sysdescr,
        request.meta.node,
        request.meta.cluster_name,
        request.broker.uptime,
    )
