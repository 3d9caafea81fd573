"""Runs the handlers of an App for a transport: order per client, async handlers on one loop, errors in the log."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from typing import Any, Callable, Coroutine, Deque, Dict, Optional, Tuple

from ._plan import Decision, HandlerFailed, Plan, plans_of
from .app import App
from .events import BrokerInfo

log = logging.getLogger("hookmq")

#: What a transport gives: called once per event, from any thread, with the decision or with what went wrong.
Reply = Callable[[Decision, Optional[HandlerFailed]], None]

_Waiting = Tuple[Plan, Any, Reply]


class _Lane:
    """Events of one client while at least one of them is at an async handler."""

    __slots__ = ("running", "blocked", "waiting")

    def __init__(self) -> None:
        self.running = 0
        #: A plain handler is at work on some thread: nobody knows whether it has begun.
        self.blocked = False
        self.waiting: Deque[_Waiting] = deque()


class Runner:
    """One per process. ``submit`` is called in the order of each lane's events; events of one client share a lane."""

    def __init__(self, app: App, loop: Optional[asyncio.AbstractEventLoop] = None, *, reports: bool = True) -> None:
        """``loop``: where async handlers run; without one, a thread is started for them when they are first needed.
        ``reports``: failures are logged here."""
        self.app = app
        self._reports = reports
        self.plans: Dict[str, Plan] = plans_of(app)
        self.has_async = any(plan.is_async for plan in self.plans.values())
        self._lanes: Dict[Any, _Lane] = {}
        self._lock = threading.Lock()
        self._loop = loop
        self._tasks: Dict[Reply, asyncio.Task[None]] = {}
        self._reported: Dict[Tuple[str, str], Tuple[float, int]] = {}

    def submit(self, lane: Any, plan: Plan, event: Any, reply: Reply) -> None:
        """Plain handlers run here and now, unless an earlier event of the lane is not finished yet."""
        if not self.has_async:
            self._run(plan, event, reply)
            return
        with self._lock:
            busy = self._lanes.get(lane)
            if busy is None and plan.is_async:
                busy = self._lanes[lane] = _Lane()
            if busy is not None:
                if busy.waiting or not _may_begin(busy, plan):
                    busy.waiting.append((plan, event, reply))
                    return
                busy.running += 1
                busy.blocked = not plan.is_async
        if busy is None:
            self._run(plan, event, reply)
        else:
            self._start(lane, plan, event, reply)

    def decide(self, plan: Plan, event: Any) -> Decision:
        """Plain handlers only: the decision. Raises HandlerFailed, which is logged already."""
        try:
            return plan.run(event)
        except HandlerFailed as failure:
            self.report(failure)
            raise

    async def decide_async(self, plan: Plan, event: Any) -> Decision:
        try:
            return await plan.run_async(event)
        except HandlerFailed as failure:
            self.report(failure)
            raise

    async def load(self, broker: BrokerInfo) -> None:
        """Runs on_load; what it raises goes to the caller."""
        for function in self.app._loads:
            await _finish(function(broker))

    async def unload(self) -> None:
        for function in self.app._unloads:
            try:
                await _finish(function())
            except Exception:
                log.exception("on_unload failed")

    def wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs ``load()`` or ``unload()`` on the event loop; for callers that are not on it."""
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of async handlers, on a thread of its own."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="hookmq-async", daemon=True).start()
            return self._loop

    def report(self, failure: HandlerFailed) -> None:
        """Logs a failure with its traceback: of equal ones, one a second."""
        if not self._reports:
            return
        key = (failure.hook.where, type(failure.error).__name__)
        now = time.monotonic()
        last, more = self._reported.get(key, (-1.0, 0))
        if last >= 0 and now - last < 1:
            self._reported[key] = (last, more + 1)
            return
        self._reported[key] = (now, 0)
        again = f" (and {more} times more since the last report)" if more else ""
        log.error("%s%s", failure, again, exc_info=failure.error if failure.error.__traceback__ else None)

    def _run(self, plan: Plan, event: Any, reply: Reply) -> None:
        try:
            decision = plan.run(event)
        except HandlerFailed as failure:
            self.report(failure)
            reply(None, failure)
        else:
            reply(decision, None)

    def _start(self, lane: Any, plan: Plan, event: Any, reply: Reply) -> None:
        loop = self.loop
        loop.call_soon_threadsafe(self._start_here, lane, plan, event, reply)

    def _start_here(self, lane: Any, plan: Plan, event: Any, reply: Reply) -> None:
        task = self.loop.create_task(self._run_async(lane, plan, event, reply))
        self._tasks[reply] = task  # A loop itself does not keep its tasks alive.
        task.add_done_callback(lambda _: self._tasks.pop(reply, None))

    def cancel(self, reply: Reply) -> None:
        """On the loop: nobody waits for this event any more. An async handler that is at it gets CancelledError."""
        task = self._tasks.get(reply)
        if task is not None:
            # Not before its first step: a task that is cancelled before that never says that it has ended.
            self.loop.call_soon(task.cancel)

    async def _run_async(self, lane: Any, plan: Plan, event: Any, reply: Reply) -> None:
        try:
            if plan.is_async:
                decision: Decision = await plan.run_async(event)
            else:
                decision = await asyncio.get_running_loop().run_in_executor(None, plan.run, event)
        except HandlerFailed as failure:
            self.report(failure)
            reply(None, failure)
        except asyncio.CancelledError:
            reply(None, None)
        else:
            reply(decision, None)
        finally:
            self._finished(lane, plan)

    def _finished(self, lane: Any, finished: Plan) -> None:
        begin = []
        with self._lock:
            busy = self._lanes[lane]
            busy.running -= 1
            if not finished.is_async:
                busy.blocked = False
            while busy.waiting and _may_begin(busy, busy.waiting[0][0]):
                busy.running += 1
                busy.blocked = not busy.waiting[0][0].is_async
                begin.append(busy.waiting.popleft())
            if busy.running == 0:
                del self._lanes[lane]
        for plan, event, reply in begin:
            self._start(lane, plan, event, reply)


async def _finish(answer: Any) -> None:
    if asyncio.iscoroutine(answer):
        await answer


def _may_begin(lane: _Lane, plan: Plan) -> bool:
    """While earlier events of its client are not finished, an async decision may; whatever else waits."""
    return lane.running == 0 or (plan.is_async and plan.point.valued and not lane.blocked)


__all__ = ["HandlerFailed", "Runner", "log"]
