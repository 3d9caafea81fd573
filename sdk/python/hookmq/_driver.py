"""Hooks in a child process of the broker: what ``hookmq_driver.modern`` asks for."""

from __future__ import annotations

import threading
from functools import partial
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from hookmq_driver import failures

from ._driver_events import MAKERS
from ._plan import Decision, HandlerFailed, Plan
from ._record import changes_of
from ._runner import Runner
from .app import App, find_app
from .errors import HookError
from .events import BrokerInfo, Message
from .verdicts import Allow, Deny, Disconnect, Drop, Reject, Stop

#: Replies that are sent together when handlers are slow.
_FLUSH_AT = 256


def adopt(module: ModuleType) -> Optional[Handler]:
    """None when the module has no App."""
    if not any(isinstance(value, App) for value in vars(module).values()):
        return None
    named = getattr(module, "app", None)
    app = named if isinstance(named, App) else find_app(module, getattr(module, "__file__", None) or module.__name__)
    return Handler(app)


class Handler:
    """An App as the driver wants it."""

    style = "modern"
    #: Calls of one client are begun in order, and a notification waits for those before it.
    ordered = True

    def __init__(self, app: App) -> None:
        # The broker logs what fails.
        self._runner = Runner(app, reports=False)
        self.warnings: List[str] = [] if app.hooks else ["the app has no hooks"]
        self.callbacks: List[Tuple[str, str, List[str], bool]] = []
        self._plans: List[Tuple[Plan, Callable[[Tuple[Any, ...]], Any]]] = []
        for name, topics in app._wanted():
            plan = self._runner.plans[name]
            target = ", ".join(hook.where for hook in plan.hooks)
            self.callbacks.append((name, target, list(topics), not plan.point.valued))
            self._plans.append((plan, MAKERS[name]))
        self._send: Callable[[List[Any]], None] = lambda replies: None
        self._now: List[Any] = []
        self._late: List[Any] = []
        self._handling = 0
        if self._runner.has_async:
            #: Calls that are at async handlers, so that they can be given up.
            self._replies: Dict[int, Callable[..., None]] = {}
            self.abandon = self._abandon

    def start(self, send: Callable[[List[Any]], None]) -> None:
        self._send = send
        if self._runner.has_async or self._runner.app._loads:
            self._runner.wait(self._runner.load(BrokerInfo(description="HookMQ")))

    def stop(self) -> None:
        if self._runner.app._unloads:
            self._runner.wait(self._runner.unload())

    def handle(self, calls: Sequence[Tuple[int, int, bytes, Tuple[Any, ...]]]) -> List[Any]:
        plans = self._plans
        if self._runner.has_async:
            self._handling = threading.get_ident()
            for number, callback, key, args in calls:
                plan, make = plans[callback]
                reply = self._replies[number] = partial(self._reply, number)
                self._runner.submit(key, plan, make(args), reply)
            now, self._now = self._now, []
            return now
        replies: List[Any] = []
        add = replies.append
        for number, callback, _key, args in calls:
            plan, make = plans[callback]
            try:
                decision = plan.run(make(args))
            except HandlerFailed as failure:
                add(_failure(number, failure))
            else:
                add(number if decision is None else (number, encode(decision)))
        return replies

    def _abandon(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            reply = self._replies.get(number)
            if reply is not None:
                self._runner.loop.call_soon_threadsafe(self._runner.cancel, reply)

    def _reply(self, number: int, decision: Decision, failure: Optional[HandlerFailed]) -> None:
        self._replies.pop(number, None)
        if failure is not None:
            reply: Any = _failure(number, failure)
        else:
            reply = number if decision is None else (number, encode(decision))
        if threading.get_ident() == self._handling:
            self._now.append(reply)
            return
        # On the event loop: all that are ready in this turn leave together.
        self._late.append(reply)
        if len(self._late) == 1:
            self._runner.loop.call_soon(self._flush)
        elif len(self._late) >= _FLUSH_AT:
            self._flush()

    def _flush(self) -> None:
        late, self._late = self._late, []
        if late:
            self._send(late)


def _failure(number: int, failure: HandlerFailed) -> Tuple[Any, ...]:
    error = failure.error
    kind, text, trace, place = failures.describe(error)
    if isinstance(error, HookError):
        return (number, "HookError", text, "", failure.hook.where)
    return (number, kind, text, trace, place or failure.hook.where)


def encode(decision: Decision) -> Any:
    """A decision as the broker's driver reads it."""
    if isinstance(decision, Drop):
        return ("drop", decision.reason)
    if isinstance(decision, Reject):
        return ("reject", decision.reason_code, decision.reason)
    if isinstance(decision, Disconnect):
        return ("disconnect", decision.reason_code, decision.reason)
    kind = "stop" if isinstance(decision, Stop) else "ok"
    value = getattr(decision, "value", None)
    if value is None:
        return (kind, None) if kind == "stop" else None
    if isinstance(value, Message):
        return (kind, _changes(value))
    if isinstance(value, Deny):
        return (kind, ("deny", value.reason_code, value.reason, value.cacheable))
    assert isinstance(value, Allow)
    attributes = None if value.attributes is None else [(str(k), str(v)) for k, v in value.attributes.items()]
    return (
        kind,
        ("allow", value.superuser, value.client_id, value.username, attributes, value.expires_at, value.cacheable),
    )


_SENT = {
    "topic",
    "payload",
    "qos",
    "retain",
    "content_type",
    "response_topic",
    "correlation_data",
    "message_expiry_interval",
    "payload_format_indicator",
    "user_properties",
}


def _changes(message: Message) -> List[Tuple[str, Any]]:
    changes: Dict[str, Any] = {name: getattr(message, name) for name in changes_of(message) if name in _SENT}
    if "user_properties" in changes:
        changes["user_properties"] = list(changes["user_properties"])
    return list(changes.items())
