"""From an App to one function per hook: topics, order and answers of handlers are settled here, for every transport."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Awaitable, Callable, Dict, NoReturn, Optional, Tuple

from ._record import changed
from .app import App, Hook
from .errors import HookError
from .events import Message
from .points import Point
from .topics import matcher
from .verdicts import Allow, Continue, Deny, Disconnect, Drop, Reject, Stop, Verdict

#: A decision as transports take it: Continue and Stop (with a Message, Allow, Deny, or None), Drop, Reject, Disconnect.
Decision = Optional[Verdict]

_ALLOW = Stop(Allow())
_DENY = Stop(Deny())
_REFUSALS = (Drop, Reject, Disconnect)


class HandlerFailed(Exception):
    """A handler raised, or answered what means nothing. Its text is for the broker's log."""

    def __init__(self, hook: Hook, error: BaseException) -> None:
        self.hook = hook
        self.error = error
        if isinstance(error, HookError):
            text = f"{hook.where}: {error}"
        else:
            text = f"{hook.where}: {hook.point.name} raised {type(error).__name__}: {error}"
        super().__init__(text)


class Plan:
    """All handlers of one hook as one: ``run(event)``, or ``await run_async(event)`` when one of them is async."""

    __slots__ = ("point", "hooks", "is_async", "run", "run_async")

    def __init__(self, point: Point, hooks: Tuple[Hook, ...]) -> None:
        self.point = point
        self.hooks = hooks
        self.is_async = any(hook.is_async for hook in hooks)
        self.run: Callable[[Any], Decision] = _single(hooks[0]) if len(hooks) == 1 else _chain(point, hooks)
        self.run_async: Callable[[Any], Awaitable[Decision]] = _async_chain(point, hooks)


def plans_of(app: App) -> Dict[str, Plan]:
    """By hook name; hooks without handlers are not there."""
    found: Dict[str, Tuple[Hook, ...]] = {}
    for hook in app.hooks:
        found[hook.point.name] = found.get(hook.point.name, ()) + (hook,)
    return {name: Plan(hooks[0].point, hooks) for name, hooks in found.items()}


def _single(hook: Hook) -> Callable[[Any], Decision]:
    handler = hook.handler
    settle = _SETTLE[hook.point.kind]
    wants = _wants(hook)

    def run(event: Any) -> Decision:
        if wants is not None and not wants(event):
            return None
        try:
            answer = handler(event)
        except (Exception, SystemExit) as error:
            raise HandlerFailed(hook, error) from error
        return None if answer is None else settle(hook, answer)

    return run


def _chain(point: Point, hooks: Tuple[Hook, ...]) -> Callable[[Any], Decision]:
    def run(event: Any) -> Decision:
        state = _State(point, event)
        for hook, wants in steps:
            if wants is not None and not wants(state.event):
                continue
            try:
                answer = hook.handler(state.event)
            except (Exception, SystemExit) as error:
                state.failed(HandlerFailed(hook, error), error)
                continue
            if answer is not None and state.ends(settle(hook, answer)):
                break
        return state.decision()

    steps = tuple((hook, _wants(hook)) for hook in hooks)
    settle = _SETTLE[point.kind]
    return run


def _async_chain(point: Point, hooks: Tuple[Hook, ...]) -> Callable[[Any], Awaitable[Decision]]:
    async def run(event: Any) -> Decision:
        state = _State(point, event)
        for hook, wants in steps:
            if wants is not None and not wants(state.event):
                continue
            try:
                if hook.is_async:
                    answer = await hook.handler(state.event)
                else:  # It may block: not on the loop.
                    answer = await asyncio.get_running_loop().run_in_executor(None, hook.handler, state.event)
            except (Exception, SystemExit) as error:
                state.failed(HandlerFailed(hook, error), error)
                continue
            if answer is not None and state.ends(settle(hook, answer)):
                break
        return state.decision()

    steps = tuple((hook, _wants(hook)) for hook in hooks)
    settle = _SETTLE[point.kind]
    return run


class _State:
    """What the handlers of one hook have made of one event so far."""

    __slots__ = ("point", "event", "_decision", "_failure")

    def __init__(self, point: Point, event: Any) -> None:
        self.point = point
        self.event = event
        self._decision: Decision = None
        self._failure: Optional[HandlerFailed] = None

    def failed(self, failure: HandlerFailed, cause: BaseException) -> None:
        """Ends a decision. A notification goes to the handlers after this one all the same."""
        if self.point.valued:
            raise failure from cause
        if self._failure is None:
            self._failure = failure

    def ends(self, decision: Decision) -> bool:
        if decision is None:
            return False
        value = getattr(decision, "value", None)
        if value is None:
            if isinstance(decision, Stop) and self._decision is not None:
                decision = Stop(getattr(self._decision, "value", None))
        elif self.point.kind == "message":
            self.event = value
        else:
            self.event = changed(self.event, {"allowed": isinstance(value, Allow)})
        self._decision = decision
        return not isinstance(decision, Continue)

    def decision(self) -> Decision:
        if self._failure is not None:
            raise self._failure
        return self._decision


def _wants(hook: Hook) -> Optional[Callable[[Any], bool]]:
    """None: all events."""
    if not hook.topics:
        return None
    match = matcher(hook.topics)
    if hook.point.event is Message:
        return lambda event: match(event.topic)
    return lambda event: match(event.message.topic)


def _settle_nothing(hook: Hook, answer: Any) -> Decision:
    if inspect.isawaitable(answer):
        _wrong(hook, answer, "")
    return None


def _settle_message(hook: Hook, answer: Any) -> Decision:
    if isinstance(answer, Message):
        return Continue(answer)
    if isinstance(answer, _REFUSALS):
        return answer
    if isinstance(answer, (Continue, Stop)) and (answer.value is None or isinstance(answer.value, Message)):
        return None if isinstance(answer, Continue) and answer.value is None else answer
    return _wrong(hook, answer, "None, a Message, Continue, Stop, Drop, Reject or Disconnect")


def _settle_access(hook: Hook, answer: Any) -> Decision:
    if answer is True:
        return _ALLOW
    if answer is False:
        return _DENY
    if isinstance(answer, (Allow, Deny)):
        return Stop(answer)
    if isinstance(answer, (Continue, Stop)):
        value = answer.value
        if value is None or isinstance(value, (Allow, Deny)):
            return None if isinstance(answer, Continue) and value is None else answer
        if isinstance(value, bool):
            return type(answer)(Allow() if value else Deny())
    return _wrong(hook, answer, "None, True, False, Allow, Deny, Continue or Stop")


def _wrong(hook: Hook, answer: Any, expected: str) -> NoReturn:
    if inspect.iscoroutine(answer):
        answer.close()
        raise HandlerFailed(hook, HookError(f"{hook.point.name} returned a coroutine; declare it with 'async def'"))
    shown = repr(answer) if isinstance(answer, (bool, int, Verdict)) else type(answer).__name__
    raise HandlerFailed(hook, HookError(f"{hook.point.name}: returned {shown}; expected {expected}"))


_SETTLE: Dict[str, Callable[[Hook, Any], Decision]] = {
    "notify": _settle_nothing,
    "message": _settle_message,
    "access": _settle_access,
}
