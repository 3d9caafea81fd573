"""``python3 -m hookmq_driver``: started by the broker, with the connection to it as file descriptor 3."""

import importlib
import os
import platform
import sys

from hookmq_driver import compatible, failures, limits, modern
from hookmq_driver.channel import Channel


def main():
    problems = limits.apply()
    for stream in (sys.stdout, sys.stderr):
        # A line reaches the log when it is printed, not when a buffer is full, also from a handler that is then killed.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sys.stdin = open(os.devnull, encoding="utf-8")
    try:
        channel = Channel()
    except OSError:
        sys.exit("hookmq_driver is started by the broker (plugin extension-hook); by hand it has nobody to talk to")
    runtime = "%s %s" % (platform.python_implementation(), platform.python_version())
    channel.send([("hello", runtime, os.getpid())] + [("log", "warn", one) for one in problems])
    Driver(channel).run()


class Driver:
    def __init__(self, channel):
        self._channel = channel
        self._handler = None

    def run(self):
        while True:
            bodies = self._channel.receive()
            if bodies is None:
                self._stop()
                return
            for body in bodies:
                if type(body) is list:
                    replies = self._handler.handle(body)
                    if replies:
                        self._channel.send(replies)
                elif body[0] == "abandon":
                    self._abandon(body[1:])
                elif body[0] == "init":
                    self._channel.send([self._init(body[1], body[2])])
                elif body[0] == "deinit":
                    self._channel.send([self._deinit(body[1])])

    def _init(self, number, name):
        try:
            module = importlib.import_module(name)
            handler = modern.adopt(module) or compatible.Handler(module)
            handler.start(self._channel.send)
        except compatible.BadAnswer as error:
            return (number, "init", str(error), "", None)
        except BaseException as error:
            return (number,) + failures.describe(error)
        self._handler = handler
        style = getattr(handler, "style", "modern")
        callbacks = [(hook, target, list(topics), bool(observe)) for hook, target, topics, observe in handler.callbacks]
        gives_up = hasattr(handler, "abandon")
        return ("init", number, style, callbacks, bool(handler.ordered), list(handler.warnings), gives_up)

    def _abandon(self, numbers):
        abandon = getattr(self._handler, "abandon", None)
        if abandon is not None:
            abandon(numbers)

    def _deinit(self, number):
        try:
            self._stop()
        except BaseException as error:
            return (number,) + failures.describe(error)
        return number

    def _stop(self):
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.stop()


if __name__ == "__main__":
    main()
