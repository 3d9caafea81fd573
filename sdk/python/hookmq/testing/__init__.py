"""Tests of hooks without a broker.

    from hookmq.testing import Play
    from hooks import app

    def test_large_orders_are_rejected():
        outcome = Play(app).publish("orders/1", "x" * 2000)
        assert not outcome.published
        assert outcome.reason_code == 0x97

With pytest, the fixture ``play_hooks`` makes a ``Play`` from an App or a file and unloads it after the test.
"""

from __future__ import annotations

import itertools
import time
from typing import Any, Dict, Optional, Tuple, Type, TypeVar, Union

from .. import events
from .._load import load_app
from .._plan import Decision, HandlerFailed, Plan
from .._record import Record
from .._runner import Runner
from ..app import App
from ..errors import HookError
from ..points import point_named
from ..verdicts import Allow, Deny, Disconnect, Drop, Reject

R = TypeVar("R", bound=Record)

_ids = itertools.count(1)


class Outcome:
    """What the handlers made of one event."""

    def __init__(self, event: Record, decision: Decision) -> None:
        #: What the first handler was given.
        self.event = event
        #: Continue, Stop, Drop, Reject, Disconnect; None: no opinion.
        self.verdict = decision

    @property
    def published(self) -> bool:
        """message.publish: is the message routed?"""
        return not isinstance(self.verdict, (Drop, Reject, Disconnect))

    @property
    def message(self) -> events.Message:
        """message.publish: what would be routed. Raises AssertionError when nothing is."""
        assert self.published, f"the message is not published: {self.verdict!r}"
        value = getattr(self.verdict, "value", None)
        found = self.event if value is None else value
        assert isinstance(found, events.Message)
        return found

    @property
    def allowed(self) -> Optional[bool]:
        """client.authenticate, client.authorize: None when the handlers leave it to others."""
        value = getattr(self.verdict, "value", None)
        return isinstance(value, Allow) if isinstance(value, (Allow, Deny)) else None

    @property
    def reason_code(self) -> Optional[int]:
        """Of Reject, Disconnect, Deny."""
        code: Optional[int] = getattr(self._refusal, "reason_code", None)
        return code

    @property
    def reason(self) -> Optional[str]:
        """Of Reject, Disconnect, Deny, Drop."""
        text: Optional[str] = getattr(self._refusal, "reason", None)
        return text

    @property
    def _refusal(self) -> object:
        value = getattr(self.verdict, "value", None)
        return self.verdict if value is None else value

    def __repr__(self) -> str:
        return f"Outcome({self.verdict!r})"


class Play:
    """Calls the handlers of an App as a broker would, with values as a broker has them.

    What a handler raises, the test gets. A handler's answer that means nothing is a HookError.
    """

    def __init__(self, app: Union[App, str]) -> None:
        """``app``: an App, or what ``python -m hookmq serve`` takes: ``hooks.py``."""
        self.app = load_app(app) if isinstance(app, str) else app
        self._runner = Runner(self.app)

    def load(self, **broker: Any) -> None:
        """Runs on_load."""
        values: Dict[str, Any] = {
            "version": "5.8.0",
            "description": "HookMQ",
            "node": "hookmq@127.0.0.1",
            "cluster": "hookmq",
        }
        values.update(broker)
        self._runner.wait(self._runner.load(_make(events.BrokerInfo, values)))

    def unload(self) -> None:
        """Runs on_unload."""
        self._runner.wait(self._runner.unload())

    def publish(self, topic: str, payload: Union[bytes, str] = b"", **message: Any) -> Outcome:
        """message.publish. ``message``: further fields, such as ``from_client``, ``qos``, ``retain``."""
        return self.call("message.publish", self.message(topic, payload, **message))

    def authenticate(self, client_id: str = "client-1", **client: Any) -> Outcome:
        """client.authenticate. ``client``: ``username``, ``password``, ``peerhost``, ``allowed`` …"""
        return self.call("client.authenticate", _make(events.Credentials, {**_client(client_id), **client}))

    def authorize(self, action: str, topic: str, *, allowed: bool = False, **client: Any) -> Outcome:
        """client.authorize: ``action`` is ``publish`` or ``subscribe``."""
        if action not in ("publish", "subscribe"):
            raise HookError(f"authorize: action: expected 'publish' or 'subscribe', got {action!r}")
        request = {"client": self.client(**client), "action": action, "topic": topic, "allowed": allowed}
        return self.call("client.authorize", _make(events.AccessRequest, request))

    def connected(self, client_id: str = "client-1", **client: Any) -> None:
        self.call("client.connected", self.client(client_id, **client))

    def disconnected(self, client_id: str = "client-1", reason: str = "normal", **client: Any) -> None:
        self.call("client.disconnected", events.Disconnected(self.client(client_id, **client), reason))

    def subscribed(self, topic: str, qos: int = 0, **client: Any) -> None:
        self.call("session.subscribed", events.Subscribed(self.client(**client), events.Subscription(topic, qos)))

    def dropped(
        self, topic: str, payload: Union[bytes, str] = b"", reason: str = "no_subscribers", **message: Any
    ) -> None:
        self.call("message.dropped", events.Dropped(self.message(topic, payload, **message), reason))

    def call(self, hook: str, event: Record) -> Outcome:
        """Any hook, with an event of the class that its handlers take."""
        point = point_named(hook)
        if not isinstance(event, point.event):
            raise HookError(f"{hook}: expected {point.event.__name__}, got {type(event).__name__}")
        plan = self._runner.plans.get(point.name)
        return Outcome(event, None if plan is None else self._decide(plan, event))

    @staticmethod
    def message(topic: str, payload: Union[bytes, str] = b"", **message: Any) -> events.Message:
        """A message as it comes from a client."""
        values: Dict[str, Any] = {
            "topic": topic,
            "payload": payload.encode() if isinstance(payload, str) else payload,
            "from_client": "client-1",
            "peerhost": "127.0.0.1",
            "id": f"{next(_ids):032X}",
            "timestamp": int(time.time() * 1000),
            "node": "hookmq@127.0.0.1",
        }
        values.update(message)
        return _make(events.Message, values)

    @staticmethod
    def client(client_id: str = "client-1", **client: Any) -> events.ClientInfo:
        return _make(events.ClientInfo, {**_client(client_id), **client})

    def _decide(self, plan: Plan, event: Record) -> Decision:
        try:
            if not plan.is_async:
                return plan.run(event)
            import asyncio

            return asyncio.run_coroutine_threadsafe(_run(plan, event), self._runner.loop).result()
        except HandlerFailed as failure:
            if isinstance(failure.error, HookError):
                raise HookError(str(failure)) from None
            raise failure.error from None


async def _run(plan: Plan, event: Record) -> Decision:
    return await plan.run_async(event)


def _client(client_id: str) -> Dict[str, Any]:
    return {"client_id": client_id, "peerhost": "127.0.0.1", "peerport": 50000, "node": "hookmq@127.0.0.1"}


def _make(kind: Type[R], values: Dict[str, Any]) -> R:
    names: Tuple[str, ...] = kind._names
    for name in values:
        if name not in names:
            raise HookError("{} has no field {!r}; it has {}".format(kind.__name__, name, ", ".join(names)))
    return kind(**values)


__all__ = ["Outcome", "Play"]
