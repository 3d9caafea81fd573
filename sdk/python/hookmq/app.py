"""``App``: the hooks of one file."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, Generic, List, NamedTuple, Optional, Sequence, Tuple, TypeVar, overload

from . import events
from .errors import HookError, describe
from .points import POINTS, Point, point_named
from .topics import check_filter
from .verdicts import AccessVerdict, Maybe, PublishVerdict

F = TypeVar("F", bound=Callable[..., Any])
Loaded = TypeVar("Loaded", bound=Callable[..., Any])


class Hook(NamedTuple):
    """One registered handler."""

    point: Point
    handler: Callable[[Any], Any]
    #: Topic filters; empty: all topics.
    topics: Tuple[str, ...]
    priority: int
    is_async: bool
    #: ``hooks.py:12: on_publish``
    where: str


class Decorator(Generic[F]):
    """``@app.on_client_connected``, with or without options in parentheses."""

    __slots__ = ("_app", "_point")

    def __init__(self, app: App, point: Point) -> None:
        self._app = app
        self._point = point

    @overload
    def __call__(self, handler: F) -> F: ...

    @overload
    def __call__(self, *, topics: Sequence[str] = (), priority: int = 0) -> Callable[[F], F]: ...

    def __call__(self, handler: Any = None, *, topics: Sequence[str] = (), priority: int = 0) -> Any:
        if handler is None:
            return lambda function: self._app._add(self._point, function, topics, priority)
        if isinstance(handler, (str, list, tuple)):
            raise HookError(
                f"@app.{self._point.decorator}({handler!r}): name the option: "
                f"@app.{self._point.decorator}(topics=[...])"
            )
        return self._app._add(self._point, handler, topics, priority)


_Notified = Maybe[None]


class App:
    """The hooks of one file: make one, decorate functions with it.

    The same file runs as an ExHook provider (``python -m hookmq serve hooks.py``) and in a child process of the broker
    (plugin ``extension-hook``).

    ``topics`` (message hooks only) are topic filters; without them a handler gets all messages. Of several handlers of
    one hook the one with the higher ``priority`` runs first; equal ones run in the order of the file.
    """

    #: A client wants to connect; nothing has been checked yet.
    on_client_connect: Decorator[Callable[[events.ConnectInfo], _Notified]]
    #: The answer to CONNECT is about to be sent.
    on_client_connack: Decorator[Callable[[events.Connack], _Notified]]
    #: A client is in.
    on_client_connected: Decorator[Callable[[events.ClientInfo], _Notified]]
    #: A connection is over.
    on_client_disconnected: Decorator[Callable[[events.Disconnected], _Notified]]
    #: Who is this, may it come in? ``True``, ``Allow()``, ``False``, ``Deny()`` decide; ``None`` leaves it to others.
    on_client_authenticate: Decorator[Callable[[events.Credentials], Maybe[AccessVerdict]]]
    #: May a client publish or subscribe? Answers as for on_client_authenticate.
    on_client_authorize: Decorator[Callable[[events.AccessRequest], Maybe[AccessVerdict]]]
    on_client_subscribe: Decorator[Callable[[events.SubscribeRequest], _Notified]]
    on_client_unsubscribe: Decorator[Callable[[events.UnsubscribeRequest], _Notified]]
    on_session_created: Decorator[Callable[[events.ClientInfo], _Notified]]
    on_session_subscribed: Decorator[Callable[[events.Subscribed], _Notified]]
    on_session_unsubscribed: Decorator[Callable[[events.Unsubscribed], _Notified]]
    on_session_resumed: Decorator[Callable[[events.ClientInfo], _Notified]]
    on_session_discarded: Decorator[Callable[[events.ClientInfo], _Notified]]
    on_session_takenover: Decorator[Callable[[events.ClientInfo], _Notified]]
    on_session_terminated: Decorator[Callable[[events.Terminated], _Notified]]
    #: A message is about to be routed: return a changed one, ``Drop()``, ``Reject()``, ``Disconnect()``, or ``None``.
    on_message_publish: Decorator[Callable[[events.Message], Maybe[PublishVerdict]]]
    on_message_delivered: Decorator[Callable[[events.Delivered], _Notified]]
    on_message_dropped: Decorator[Callable[[events.Dropped], _Notified]]
    on_message_acked: Decorator[Callable[[events.Acked], _Notified]]

    def __init__(self) -> None:
        self._hooks: Dict[str, List[Hook]] = {}
        self._loads: List[Callable[[events.BrokerInfo], Any]] = []
        self._unloads: List[Callable[[], Any]] = []
        for point in POINTS.values():
            setattr(self, point.decorator, Decorator(self, point))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(f"App has no attribute {name!r}")
        import difflib

        near = difflib.get_close_matches(name, [point.decorator for point in POINTS.values()], 1)
        hint = f"; did you mean @app.{near[0]}?" if near else ""
        raise AttributeError(f"there is no hook @app.{name}{hint}")

    def hook(self, name: str, *, topics: Sequence[str] = (), priority: int = 0) -> Callable[[F], F]:
        """``@app.hook("message.publish", topics=["t/#"])``: by the hook's name. Raises HookError for an unknown one."""
        point = point_named(name)
        return lambda function: self._add(point, function, topics, priority)

    def on_load(
        self, function: Callable[[events.BrokerInfo], Maybe[None]]
    ) -> Callable[[events.BrokerInfo], Maybe[None]]:
        """Called before the first event, and whenever a broker loads the hooks. What it raises, the broker is told."""
        _check_call(function, (events.BrokerInfo(),), "broker: BrokerInfo")
        self._loads.append(function)
        return function

    def on_unload(self, function: Callable[[], Maybe[None]]) -> Callable[[], Maybe[None]]:
        """Called when the broker needs the hooks no longer."""
        _check_call(function, (), "no arguments")
        self._unloads.append(function)
        return function

    @property
    def hooks(self) -> Tuple[Hook, ...]:
        """All handlers, hook by hook, in the order in which they run."""
        return tuple(hook for name in POINTS for hook in self._hooks.get(name, ()))

    def _add(self, point: Point, handler: Any, topics: Sequence[str], priority: int) -> Any:
        if not callable(handler):
            raise HookError(f"@app.{point.decorator}: expected a function, got {handler!r}")
        where = describe(handler)
        _check_call(handler, (None,), f"{point.argument}: {point.event.__name__}")
        if isinstance(topics, (str, bytes)):
            raise HookError(f"{where}: topics: expected a list of topic filters, got {topics!r}; write [{topics!r}]")
        filters = tuple(topics)
        if filters and not point.has_topics:
            raise HookError(f"{where}: topics: only hooks on message.* have topics, not {point.name}")
        for one in filters:
            wrong = check_filter(one)
            if wrong is not None:
                raise HookError(f"{where}: topics: {one!r}: {wrong}")
        if isinstance(priority, bool) or not isinstance(priority, int):
            raise HookError(f"{where}: priority: expected a whole number, got {priority!r}")
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            raise HookError(f"{where}: a handler returns its answer; it cannot yield")
        chain = self._hooks.setdefault(point.name, [])
        chain.append(Hook(point, handler, filters, priority, _is_async(handler), where))
        chain.sort(key=lambda hook: -hook.priority)
        return handler

    def _wanted(self) -> List[Tuple[str, Tuple[str, ...]]]:
        """Hook names with the topic filters under which the broker has to send them; () for all topics."""
        return [(name, _union(self._hooks[name])) for name in POINTS if self._hooks.get(name)]


def _union(hooks: Sequence[Hook]) -> Tuple[str, ...]:
    if any(not hook.topics for hook in hooks):
        return ()
    return tuple(dict.fromkeys(topic for hook in hooks for topic in hook.topics))


def _is_async(handler: Any) -> bool:
    while hasattr(handler, "func"):  # functools.partial
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))


def _check_call(handler: Any, arguments: Tuple[Any, ...], expected: str) -> None:
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):  # a function written in C
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise HookError(
            "{}: cannot be called with ({}): {}; it is declared as {}".format(
                describe(handler), expected if arguments else "", error, signature
            )
        ) from None


def find_app(module: Any, file: str, name: Optional[str] = None) -> App:
    """The App of a hooks file. Raises HookError when there is none, or more than one and no name."""
    if name is not None:
        found = getattr(module, name, None)
        if not isinstance(found, App):
            raise HookError(f"{file}: {name}: expected a hookmq.App, got {type(found).__name__}")
        return found
    apps = {id(value): (key, value) for key, value in vars(module).items() if isinstance(value, App)}
    if len(apps) == 1:
        return next(iter(apps.values()))[1]
    if not apps:
        raise HookError(f"{file}: has no hookmq.App; expected a line like: app = hookmq.App()")
    names = ", ".join(key for key, _ in apps.values())
    raise HookError(f"{file}: has more than one hookmq.App ({names}); name one: {file}:NAME")


__all__ = ["App", "Decorator", "Hook", "find_app"]
