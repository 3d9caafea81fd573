"""Threads on which plain handlers run, so that one that waits for a database holds up no other client."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, List, Optional

from .._plan import HandlerFailed
from .._runner import Runner

if TYPE_CHECKING:
    from .stream import Task


class Workers:
    """All events of a lane go to the same thread, in order. With no threads they run on the event loop."""

    def __init__(self, runner: Runner, threads: int) -> None:
        self._runner = runner
        self._queues: List[SimpleQueue[Optional[List[Task]]]] = [SimpleQueue() for _ in range(threads)]
        for number, queue in enumerate(self._queues):
            threading.Thread(target=self._work, args=(queue,), name=f"hookmq-worker-{number}", daemon=True).start()

    def add(self, tasks: List[Task]) -> None:
        """What they are comes in the order of their lanes. The broker's grant bounds how many wait."""
        count = len(self._queues)
        if count == 0:
            self._run(tasks)
        elif count == 1:
            self._queues[0].put(tasks)
        else:
            groups: List[List[Task]] = [[] for _ in range(count)]
            for task in tasks:
                groups[task.lane % count].append(task)
            for queue, group in zip(self._queues, groups):
                if group:
                    queue.put(group)

    def stop(self) -> None:
        for queue in self._queues:
            queue.put(None)

    def _work(self, queue: SimpleQueue[Any]) -> None:
        while True:
            tasks = queue.get()
            if tasks is None:
                return
            self._run(tasks)

    def _run(self, tasks: List[Task]) -> None:
        runner = self._runner
        for task in tasks:
            stream = task.stream
            if stream.cancelled and task.id in stream.cancelled:
                stream.finish(task, None, None)
                continue
            event = task.make(task.request)
            if runner.has_async:
                lane = (id(stream), task.lane)
                runner.submit(lane, task.plan, event, stream.reply_of(task))
                continue
            try:
                decision = task.plan.run(event)
            except HandlerFailed as failure:
                runner.report(failure)
                stream.finish(task, None, failure)
            else:
                stream.finish(task, decision, None)
