"""What handlers are given. All of it is read-only; fields that nobody reads are never decoded."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

from ._checks import CHECKS
from ._record import Record, changed, record
from .errors import HookError

if TYPE_CHECKING:
    from typing_extensions import Literal, TypedDict, Unpack

    class MessageChanges(TypedDict, total=False):
        """What ``Message.replace`` takes."""

        topic: str
        payload: bytes | str
        qos: int
        retain: bool
        content_type: Optional[str]
        response_topic: Optional[str]
        correlation_data: Optional[bytes]
        message_expiry_interval: Optional[int]
        payload_format_indicator: Optional[int]
        user_properties: Tuple[Tuple[str, str], ...]

    Action = Literal["publish", "subscribe"]

#: Pairs of MQTT 5 user properties, in the order of the packet; a name may come more than once.
UserProperties = Tuple[Tuple[str, str], ...]


@record
class BrokerInfo(Record):
    """The broker that loaded this app."""

    version: str = ""
    #: Name of the product.
    description: str = ""
    node: str = ""
    cluster: str = ""
    #: Milliseconds since the broker was started.
    uptime: int = 0


@record
class ConnectInfo(Record):
    """A connection as its CONNECT described it, before any check."""

    #: Empty when the client asked the broker to choose one.
    client_id: str
    username: Optional[str] = None
    #: IP address of the client.
    peerhost: str = "127.0.0.1"
    peerport: int = 0
    #: Port of the listener.
    sockport: int = 1883
    #: ``MQTT``, or ``MQIsdp`` for MQTT 3.1.
    protocol_name: str = "MQTT"
    #: 3, 4 (MQTT 3.1.1) or 5.
    protocol_version: int = 5
    #: Seconds, as the client asked for.
    keep_alive: int = 60
    node: str = ""
    #: MQTT 5 properties by their names in the specification, such as ``Session-Expiry-Interval``; values are text.
    properties: Mapping[str, str] = field(default_factory=dict)
    user_properties: UserProperties = ()


@record
class Connack(Record):
    """An answer to CONNECT that is about to be sent."""

    connect: ConnectInfo
    #: Name of the reason code: ``success``, ``not_authorized``, …
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)
    user_properties: UserProperties = ()

    @property
    def accepted(self) -> bool:
        return self.result == "success"


@record
class ClientInfo(Record):
    """A client as the broker knows it."""

    client_id: str
    username: Optional[str] = None
    peerhost: str = "127.0.0.1"
    peerport: int = 0
    sockport: int = 1883
    #: ``mqtt``, or the gateway that the client came through: ``stomp``, ``coap``, …
    protocol: str = "mqtt"
    #: What the listener puts before the topics of this client; empty for nothing.
    mountpoint: str = ""
    superuser: bool = False
    #: Nobody vouched for it. Over ExHook always true: do not build security on it.
    anonymous: bool = False
    #: Common name and subject of the TLS client certificate.
    cn: Optional[str] = None
    dn: Optional[str] = None
    node: str = ""


@record
class Credentials(ClientInfo):
    """A client that wants to come in."""

    #: What CONNECT carried, as UTF-8; None without one. It is here and nowhere else.
    password: Optional[str] = None
    #: What has been decided so far: the configuration's ``allow_anonymous``, or an earlier hook.
    allowed: bool = False

    def __repr__(self) -> str:  # a password is never printed
        return f"Credentials(client_id={self.client_id!r}, username={self.username!r}, peerhost={self.peerhost!r})"


@record
class AccessRequest(Record):
    """May this client publish to, or subscribe to, this topic?"""

    client: ClientInfo
    action: Action
    #: A topic name, or for ``subscribe`` a filter without its ``$share/group/``.
    topic: str
    #: What has been decided so far: the configuration's ``acl_nomatch``, or an earlier hook.
    allowed: bool = False


@record
class Subscription(Record):
    """One filter of a SUBSCRIBE, with its options."""

    #: With its ``$share/group/`` prefix.
    filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    #: 0: send retained messages, 1: only when the subscription is new, 2: never.
    retain_handling: int = 0


@record
class SubscribeRequest(Record):
    client: ClientInfo
    filters: Tuple[Subscription, ...]
    properties: Mapping[str, str] = field(default_factory=dict)
    user_properties: UserProperties = ()


@record
class UnsubscribeRequest(Record):
    client: ClientInfo
    filters: Tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)
    user_properties: UserProperties = ()


@record
class Disconnected(Record):
    client: ClientInfo
    #: ``normal``, ``tcp_closed``, ``keepalive_timeout``, ``takenover``, ``kicked``, or the name of a reason code.
    reason: str


@record
class Subscribed(Record):
    client: ClientInfo
    subscription: Subscription

    @property
    def topic(self) -> str:
        return self.subscription.filter


@record
class Unsubscribed(Record):
    client: ClientInfo
    topic: str


@record
class Terminated(Record):
    client: ClientInfo
    reason: str


@record
class Message(Record):
    """A message inside the broker. ``message.replace(payload=b"new")`` is a changed copy."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    #: Client id of the publisher; a bare name for messages that the broker makes.
    from_client: str = ""
    username: Optional[str] = None
    #: ``mqtt``, ``stomp``, …
    protocol: str = "mqtt"
    #: IP address of the publisher.
    peerhost: Optional[str] = None
    #: 32 upper-case hexadecimal digits, unique, sortable by time.
    id: str = ""
    #: When the broker accepted it, milliseconds since the epoch.
    timestamp: int = 0
    node: str = ""
    content_type: Optional[str] = None
    response_topic: Optional[str] = None
    correlation_data: Optional[bytes] = None
    #: Seconds.
    message_expiry_interval: Optional[int] = None
    #: 1: the payload is UTF-8 text.
    payload_format_indicator: Optional[int] = None
    user_properties: UserProperties = ()
    #: As they came over ExHook.
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The payload as UTF-8; what is not UTF-8 shows as U+FFFD."""
        return self.payload.decode("utf-8", "replace")

    def json(self) -> Any:
        """The payload read as JSON. Raises ValueError when it is not."""
        return json.loads(self.payload)

    def replace(self, **changes: Unpack[MessageChanges]) -> Message:
        """A copy with other values; text as payload is sent as UTF-8.

        Raises HookError for a value that MQTT cannot carry and for a field that cannot be changed (``id``, say).
        """
        checked: Dict[str, Any] = dict(changes)
        for name, value in checked.items():
            check = CHECKS.get(name)
            if check is None:
                raise HookError("replace: {!r} cannot be changed; expected one of {}".format(name, ", ".join(CHECKS)))
            checked[name] = check(name, value)
        return changed(self, checked)


@record
class Delivered(Record):
    """A message on its way to a subscriber."""

    client: ClientInfo
    message: Message


@record
class Acked(Record):
    """A subscriber has acknowledged a message."""

    client: ClientInfo
    message: Message


@record
class Dropped(Record):
    """A message that went nowhere."""

    message: Message
    #: ``no_subscribers``, ``packet_identifier_inuse``, ``receive_maximum_exceeded``.
    reason: str
