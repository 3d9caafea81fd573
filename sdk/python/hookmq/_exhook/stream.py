"""hookmq.exhook.v1.HookStream: events and verdicts in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Any, Deque, Dict, List, NamedTuple, Optional, Set, Tuple

from .._plan import Decision, HandlerFailed, Plan
from .._runner import Reply, Runner, log
from ..points import POINTS
from .answers import FILL
from .convert import event_maker
from .protos import BrokerFrame, ProviderFrame
from .workers import Workers

#: Events that the broker may send before the first of them is finished.
GRANT = 4096
#: Bytes of the largest frame that is taken.
FRAME_BYTES = 16 * 1024 * 1024
# What a verdict takes beside topic and payload: ids, names, headers.
_OVERHEAD = 1024
_DEFAULT_FRAME_BYTES = 4 * 1024 * 1024

_Finished = Tuple[int, Optional[Plan], Decision, Any, Optional[HandlerFailed]]


class Task(NamedTuple):
    """An event on its way to its handlers."""

    id: int
    lane: int
    plan: Plan
    make: Any
    request: Any
    stream: Exchange


class Exchange:
    """One stream of one broker."""

    def __init__(self, runner: Runner, workers: Workers, context: Any) -> None:
        self._runner = runner
        self._context = context
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._finished: Deque[_Finished] = deque()
        self._scheduled = False
        self._outgoing: asyncio.Queue[Optional[bytes]] = asyncio.Queue()
        self._limit = _DEFAULT_FRAME_BYTES
        self._outstanding = 0
        self._ending = False
        self.cancelled: Set[int] = set()
        #: Of events that are at async handlers, or behind some.
        self._replies: Dict[int, Reply] = {}
        self._known: Dict[str, Tuple[Plan, Any]] = {
            name.replace(".", "_"): (plan, event_maker(name, POINTS[name].event)) for name, plan in runner.plans.items()
        }

    async def run(self, frames: Any) -> None:
        writer = asyncio.ensure_future(self._write())
        try:
            hello = ProviderFrame()
            hello.hello.version = 1
            hello.hello.grant = GRANT
            hello.hello.max_frame_bytes = FRAME_BYTES
            self._outgoing.put_nowait(hello.SerializeToString())
            async for raw in frames:
                self._take(BrokerFrame.FromString(raw))
            self._ending = True
            self._end_if_done()
            await writer
        finally:
            writer.cancel()

    def close(self) -> None:
        """Asks the broker for no further events; it ends the stream when all are finished."""
        self._outgoing.put_nowait(ProviderFrame(closing=True).SerializeToString())

    def reply_of(self, task: Task) -> Reply:
        reply = partial(self.finish, task)
        self._replies[task.id] = reply
        return reply

    def finish(self, task: Task, decision: Decision, failure: Optional[HandlerFailed]) -> None:
        """From any thread: the handlers are through with an event."""
        self._finished.append((task.id, task.plan, decision, task.request, failure))
        if not self._scheduled:
            self._scheduled = True
            try:
                self._loop.call_soon_threadsafe(self._flush)
            except RuntimeError:  # The loop is closed: the server has ended.
                pass

    def _take(self, frame: Any) -> None:
        if frame.HasField("hello"):
            self._limit = frame.hello.max_frame_bytes or _DEFAULT_FRAME_BYTES
        if frame.cancelled:
            if len(self.cancelled) > GRANT:  # Left over from events that were finished before: to skip is a courtesy.
                self.cancelled.clear()
            self.cancelled.update(frame.cancelled)
            for number in frame.cancelled:
                reply = self._replies.get(number)
                if reply is not None:
                    self._runner.cancel(reply)
        count = len(frame.events)
        if count == 0:
            return
        self._outstanding += count
        number = frame.first
        known = self._known
        tasks: List[Task] = []
        for event in frame.events:
            name = event.WhichOneof("request")
            found = known.get(name) if name is not None else None
            if found is None:
                self._finished.append((number, None, None, None, None))
            else:
                tasks.append(Task(number, event.lane, found[0], found[1], getattr(event, name), self))
            number += 1
        if tasks:
            self._workers.add(tasks)
        if self._finished and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        finished = self._finished
        frame = ProviderFrame()
        count = size = 0
        last = None
        while finished:
            number, plan, decision, request, failure = finished.popleft()
            if self._replies:
                self._replies.pop(number, None)
            if count and size > self._limit // 2:
                self._send(frame, count)
                frame, count, size, last = ProviderFrame(), 0, 0, None
            count += 1
            if decision is None and failure is None:
                if last is not None and last.first + last.count == number:
                    last.count += 1
                else:
                    last = frame.done.add(first=number, count=1)
                continue
            size += self._add(frame, number, plan, decision, request, failure)
        if count:
            self._send(frame, count)
        self._end_if_done()

    def _add(
        self,
        frame: Any,
        number: int,
        plan: Optional[Plan],
        decision: Decision,
        request: Any,
        failure: Optional[HandlerFailed],
    ) -> int:
        verdict = frame.verdicts.add(id=number)
        if failure is None and plan is not None:
            fill = FILL.get(plan.point.kind)
            if fill is None:
                verdict.error.code = 13
                verdict.error.message = "a notification has no answer"
                return _OVERHEAD
            fill(verdict.response, decision, request)
            size = len(verdict.response.message.payload) + _OVERHEAD
            if size <= self._limit:
                return size
            verdict.ClearField("response")
            failure_text = f"the answer is larger than the {self._limit} bytes that the broker takes"
            log.error("%s: %s", plan.point.name, failure_text)
        else:
            failure_text = str(failure)
        verdict.error.code = 2
        verdict.error.message = failure_text[:2000]
        return _OVERHEAD

    def _send(self, frame: Any, count: int) -> None:
        self._outstanding -= count
        if self._outstanding == 0:
            self.cancelled.clear()
        frame.grant = count
        self._outgoing.put_nowait(frame.SerializeToString())

    def _end_if_done(self) -> None:
        if self._ending and self._outstanding == 0:
            self._ending = False
            self._outgoing.put_nowait(None)

    async def _write(self) -> None:
        while True:
            raw = await self._outgoing.get()
            if raw is None:
                return
            await self._context.write(raw)
