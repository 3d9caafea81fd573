import asyncio
import queue
import time
import types
import unittest

import hookmq
from hookmq import _driver
from hookmq_driver.modern import ARGUMENTS, RECORDS

VALUES = {
    "client_id": b"c1",
    "username": b"alice",
    "protocol": b"mqtt",
    "protocol_version": 5,
    "peer_host": b"10.0.0.1",
    "peer_port": 50000,
    "socket_port": 1883,
    "mountpoint": b"",
    "superuser": False,
    "anonymous": True,
    "common_name": None,
    "node": b"n1",
    "protocol_name": b"MQTT",
    "keep_alive": 60,
    "topic": b"t/a",
    "payload": b"\xff\x00",
    "qos": 1,
    "retain": True,
    "sender": b"c1",
    "id": b"A" * 32,
    "timestamp": 7,
    "filter": b"$share/g/t/+",
    "no_local": True,
    "retain_as_published": False,
    "retain_handling": 2,
    "password": b"sec\xffret",
    "properties": [
        (b"Content-Type", b"text/plain"),
        (b"Message-Expiry-Interval", 9),
        (b"Correlation-Data", b"\x00\x01"),
        (b"User-Property", [(b"k", b"v"), (b"k", b"w")]),
    ],
}


def record(name, **other):
    return tuple(other[field] if field in other else VALUES.get(field) for field in RECORDS[name])


ARGUMENT = {
    "client": lambda: record("client"),
    "conn_info": lambda: record("conn_info"),
    "credential": lambda: record("credential", client=record("client")),
    "session": lambda: record("session"),
    "message": lambda: record("message"),
    "properties": lambda: VALUES["properties"],
    "subscriptions": lambda: [record("subscription")],
    "subscription": lambda: record("subscription"),
    "filters": lambda: [b"a/+", b"b"],
    "reason_code": lambda: 0x87,
    "reason": lambda: b"not_authorized",
    "action": lambda: b"subscribe",
    "topic": lambda: b"t/a",
    "allowed": lambda: True,
    "qos": lambda: 0,
    "retain": lambda: False,
    "is_new": lambda: True,
}


def arguments(hook):
    return tuple(ARGUMENT[name]() for name in ARGUMENTS[hook])


def adopt(app, send=lambda replies: None):
    module = types.ModuleType("hooks")
    module.app = app
    handler = _driver.adopt(module)
    handler.start(send)
    return handler


class Driver(unittest.TestCase):
    def setUp(self):
        self.app = hookmq.App()

    def test_modules_without_an_app_are_left_to_others(self):
        self.assertIsNone(_driver.adopt(types.ModuleType("main")))

    def test_every_hook_gets_all_of_its_fields(self):
        from hookmq.points import POINTS

        seen = {}
        for name in POINTS:
            self.app.hook(name)(lambda event, name=name: seen.update({name: event}))
        handler = adopt(self.app)
        self.assertEqual([hook for hook, *_ in handler.callbacks], list(POINTS))
        calls = [(number, number, b"c1", arguments(hook)) for number, (hook, *_) in enumerate(handler.callbacks)]
        self.assertEqual(handler.handle(calls), list(range(19)))
        for name, point in POINTS.items():
            self.assertIs(type(seen[name]), point.event)
            for field in point.event._names:
                getattr(seen[name], field)
        message = seen["message.publish"]
        self.assertEqual(
            (message.topic, message.payload, message.qos, message.retain, message.from_client, message.username),
            ("t/a", b"\xff\x00", 1, True, "c1", "alice"),
        )
        self.assertEqual(
            (message.content_type, message.message_expiry_interval, message.correlation_data, message.user_properties),
            ("text/plain", 9, b"\x00\x01", (("k", "v"), ("k", "w"))),
        )
        self.assertIsNone(message.response_topic)
        self.assertEqual(seen["client.authenticate"].password, "sec\ufffdret")
        self.assertEqual((seen["client.authenticate"].client_id, seen["client.authenticate"].allowed), ("c1", True))
        self.assertEqual(
            (seen["client.connack"].result, seen["client.connack"].connect.keep_alive), ("not_authorized", 60)
        )
        self.assertEqual(seen["client.connect"].properties["Message-Expiry-Interval"], "9")
        self.assertEqual((seen["client.authorize"].action, seen["client.authorize"].topic), ("subscribe", "t/a"))
        expected = hookmq.Subscription("$share/g/t/+", 1, True, False, 2)
        self.assertEqual(seen["client.subscribe"].filters, (expected,))
        self.assertEqual(seen["session.subscribed"].subscription, expected)
        self.assertEqual(seen["client.unsubscribe"].filters, ("a/+", "b"))
        self.assertEqual(seen["session.unsubscribed"].topic, "$share/g/t/+")

    def test_verdicts(self):
        expected = [
            (None, 0),
            (lambda m: m.replace(retain=False, payload="x"), (0, ("ok", [("retain", False), ("payload", b"x")]))),
            (
                lambda m: hookmq.Stop(m.replace(user_properties={"a": "b"})),
                (0, ("stop", [("user_properties", [("a", "b")])])),
            ),
            (hookmq.Stop(), (0, ("stop", None))),
            (hookmq.Continue(), 0),
            (hookmq.Drop("why"), (0, ("drop", "why"))),
            (hookmq.Reject(0x97, "no"), (0, ("reject", 0x97, "no"))),
            (hookmq.Disconnect(0x98), (0, ("disconnect", 0x98, None))),
        ]
        for answer, reply in expected:
            self.setUp()
            self.app.on_message_publish(lambda m, answer=answer: answer(m) if callable(answer) else answer)
            handler = adopt(self.app)
            self.assertEqual(handler.handle([(0, 0, b"c1", arguments("message.publish"))]), [reply])
        made_from_nothing = _driver.encode(hookmq.Continue(hookmq.Message("t", b"x")))
        self.assertEqual(dict(made_from_nothing[1])["retain"], False)
        for answer, reply in [
            (True, ("stop", ("allow", None, None, None, None, None, True))),
            (False, ("stop", ("deny", 0x87, None, True))),
            (hookmq.Deny(0x86, "no", cacheable=False), ("stop", ("deny", 0x86, "no", False))),
            (
                hookmq.Continue(hookmq.Allow(superuser=True, attributes={"a": "b"}, expires_at=5)),
                ("ok", ("allow", True, None, None, [("a", "b")], 5, True)),
            ),
        ]:
            self.setUp()
            self.app.on_client_authenticate(lambda client, answer=answer: answer)
            replies = adopt(self.app).handle([(3, 0, b"c1", arguments("client.authenticate"))])
            self.assertEqual(replies, [(3, reply)])

    def test_failures_name_the_place(self):
        @self.app.on_message_publish
        def broken(message):
            raise ValueError("no good")

        [(number, kind, text, trace, place)] = adopt(self.app).handle([(4, 0, b"c1", arguments("message.publish"))])
        self.assertEqual((number, kind, text), (4, "ValueError", "no good"))
        self.assertIn("in broken", trace)
        self.assertRegex(place, r"test_driver\.py line \d+, in broken")
        self.setUp()
        self.app.on_message_publish(lambda message: 5)
        [(_, kind, text, trace, _place)] = adopt(self.app).handle([(4, 0, b"c1", arguments("message.publish"))])
        self.assertEqual((kind, trace), ("HookError", ""))
        self.assertIn("returned 5", text)

    def test_async_handlers_keep_the_order_of_each_client(self):
        log = []
        gate = {}

        @self.app.on_message_publish
        async def publish(message):
            log.append("begin " + message.text)
            await gate["open"].wait()
            log.append("end " + message.text)

        @self.app.on_client_connected
        def connected(client):
            log.append("connected " + client.client_id)

        @self.app.on_load
        async def load(broker):
            gate["open"] = asyncio.Event()

        replies = queue.Queue()
        handler = adopt(self.app, lambda some: [replies.put(one) for one in some])

        places = {hook: place for place, (hook, *_) in enumerate(handler.callbacks)}
        publish_at, connected_at = places["message.publish"], places["client.connected"]
        calls = [
            (1, publish_at, b"a", (record("message", payload=b"1"),)),
            (2, publish_at, b"a", (record("message", payload=b"2"),)),
            (3, connected_at, b"a", (record("client", client_id=b"a"), None)),
            (4, publish_at, b"a", (record("message", payload=b"4"),)),
            (5, connected_at, b"b", (record("client", client_id=b"b"), None)),
        ]
        self.assertEqual(handler.handle(calls), [5], "another client is not held up")
        while "begin 2" not in log:
            time.sleep(0.001)
        handler._runner.loop.call_soon_threadsafe(lambda: gate["open"].set())
        self.assertEqual([replies.get(timeout=10) for _ in range(4)], [1, 2, 3, 4])
        self.assertEqual(
            [line for line in log if line != "connected b"],
            ["begin 1", "begin 2", "end 1", "end 2", "connected a", "begin 4", "end 4"],
        )
        self.assertEqual(handler._runner._lanes, {}, "nothing is kept")


if __name__ == "__main__":
    unittest.main()
