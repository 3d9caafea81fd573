"""
The connection to the broker: file descriptor 3, a stream socket. Frames are 4 bytes of length, big-endian, and a body in marshal format.

To us: a list of calls ``(id, callback, key, args)``, or a tuple ``('init', id, module)``, ``('deinit', id)``,
``('abandon', id, ...)``: nobody waits for these calls any more.
From us: a list of answers. An int: the call with this id returned None. ``(id, value)``: it returned something.
``(id, type, text, traceback, place)``: it failed. A tuple that begins with a str: ``hello``, ``init``, ``log``.
"""

import marshal
import os
import select
import socket
import struct
import threading

_DESCRIPTOR = 3
_CHUNK = 256 * 1024
# What every Python writes and the broker reads.
_FORMAT = 2


class Channel:
    def __init__(self):
        # Processes that the handler starts must not hold the connection open.
        os.set_inheritable(_DESCRIPTOR, False)
        self._socket = socket.socket(fileno=_DESCRIPTOR)
        self._socket.setblocking(True)
        self._sending = threading.Lock()
        self._rest = bytearray()
        threading.Thread(target=self._end_with_broker, name="hookmq-orphan", daemon=True).start()

    def send(self, items):
        """Sends a list of answers. From any thread."""
        body = marshal.dumps(items, _FORMAT)
        with self._sending:
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self):
        """The bodies that have come, at least one; None when the broker is gone."""
        rest = self._rest
        while True:
            bodies = self._whole(rest)
            if bodies:
                return bodies
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                return None
            rest += chunk

    @staticmethod
    def _whole(rest):
        bodies = []
        at = 0
        size = len(rest)
        with memoryview(rest) as view:
            while size - at >= 4:
                end = at + 4 + int.from_bytes(view[at : at + 4], "big")
                if end > size:
                    break
                bodies.append(marshal.loads(view[at + 4 : end]))
                at = end
        if at:
            del rest[:at]
        return bodies

    @staticmethod
    def _end_with_broker():
        """A callback that never returns must not outlive a broker that was killed."""
        if not hasattr(select, "poll"):
            return
        poll = select.poll()
        poll.register(_DESCRIPTOR, 0)
        poll.poll()
        # Time for the handler's deinit, which the main thread calls when it can.
        threading.Event().wait(5)
        os._exit(1)
