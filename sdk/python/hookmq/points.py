"""Every hook: its name, what its handlers are given, and what they may answer."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple, Type

from . import events
from ._record import Record
from .errors import HookError


class Point(NamedTuple):
    name: str
    #: Class of the one argument of a handler, and how it is called in messages.
    event: Type[Record]
    argument: str
    #: ``notify``: nobody waits for an answer. ``access``: allow or deny. ``message``: what becomes of a message.
    kind: str

    @property
    def decorator(self) -> str:
        return "on_" + self.name.replace(".", "_")

    @property
    def valued(self) -> bool:
        return self.kind != "notify"

    @property
    def has_topics(self) -> bool:
        return self.name.startswith("message.")


_TABLE: Tuple[Point, ...] = (
    Point("client.connect", events.ConnectInfo, "connect", "notify"),
    Point("client.connack", events.Connack, "connack", "notify"),
    Point("client.connected", events.ClientInfo, "client", "notify"),
    Point("client.disconnected", events.Disconnected, "event", "notify"),
    Point("client.authenticate", events.Credentials, "client", "access"),
    Point("client.authorize", events.AccessRequest, "request", "access"),
    Point("client.subscribe", events.SubscribeRequest, "request", "notify"),
    Point("client.unsubscribe", events.UnsubscribeRequest, "request", "notify"),
    Point("session.created", events.ClientInfo, "client", "notify"),
    Point("session.subscribed", events.Subscribed, "event", "notify"),
    Point("session.unsubscribed", events.Unsubscribed, "event", "notify"),
    Point("session.resumed", events.ClientInfo, "client", "notify"),
    Point("session.discarded", events.ClientInfo, "client", "notify"),
    Point("session.takenover", events.ClientInfo, "client", "notify"),
    Point("session.terminated", events.Terminated, "event", "notify"),
    Point("message.publish", events.Message, "message", "message"),
    Point("message.delivered", events.Delivered, "event", "notify"),
    Point("message.dropped", events.Dropped, "event", "notify"),
    Point("message.acked", events.Acked, "event", "notify"),
)

POINTS: Dict[str, Point] = {point.name: point for point in _TABLE}

#: Names of earlier releases.
OLD_NAMES = {"client.check_acl": "client.authorize", "session.takeovered": "session.takenover"}


def point_named(name: str) -> Point:
    """Raises HookError when there is no such hook, with the nearest name."""
    found = POINTS.get(OLD_NAMES.get(name, name))
    if found is not None:
        return found
    import difflib

    near = difflib.get_close_matches(str(name).replace("_", "."), POINTS, 1)
    hint = f"did you mean {near[0]!r}?" if near else "expected one of {}".format(", ".join(POINTS))
    raise HookError(f"unknown hook {name!r}; {hint}")
