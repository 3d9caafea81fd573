"""What a broker sees of ``python -m hookmq serve``: bytes of gRPC."""

import asyncio
import contextlib
import queue
import threading
import time
import unittest

import grpc

import hookmq
from hookmq._exhook import protos
from hookmq._exhook.server import Server

V3 = "emqx.exhook.v3."


def message(topic="a", payload=b"x", **headers):
    request = protos.message_class(V3 + "MessagePublishRequest")()
    request.message.topic = topic
    request.message.payload = payload
    request.message.qos = 1
    setattr(request.message, "from", "c1")
    request.message.headers.update(headers)
    return request


class Running:
    """A server in a thread of this process, and a client of it."""

    def __init__(self, app, **options):
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(app, options)), daemon=True)
        self._thread.start()
        assert self._started.wait(10)
        self.channel = grpc.insecure_channel("127.0.0.1:%d" % self.port)

    async def _run(self, app, options):
        server = Server(app, **options)
        self.port = await server.start("127.0.0.1:0")
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self._end.wait()
        await server.stop(5)

    def call(self, name, request, version="v3", metadata=None):
        response = "ValuedResponse" if name in ("OnMessagePublish", "OnClientAuthenticate") else "EmptySuccess"
        response = "LoadedResponse" if name == "OnProviderLoaded" else response
        method = self.channel.unary_unary(
            f"/emqx.exhook.{version}.HookProvider/{name}",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=protos.message_class(f"emqx.exhook.{version}.{response}").FromString,
        )
        return method.with_call(request, timeout=10)[0] if metadata is None else method.with_call(request, timeout=10)

    def stream(self):
        return Stream(self.channel)

    def begin_stop(self):
        self._loop.call_soon_threadsafe(self._end.set)

    def stop(self):
        with contextlib.suppress(RuntimeError):  # its loop has ended already
            self.begin_stop()
        self._thread.join(10)
        self.channel.close()


class Stream:
    def __init__(self, channel):
        self._frames = queue.Queue()
        self._next = 1
        self._call = channel.stream_stream(
            "/hookmq.exhook.v1.HookStream/Exchange",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=protos.ProviderFrame.FromString,
        )(iter(self._frames.get, None))
        self.finished = {}
        self.closing = False

    def hello(self, **fields):
        frame = protos.BrokerFrame()
        frame.hello.version = 1
        for name, value in fields.items():
            setattr(frame.hello, name, value)
        self._frames.put(frame)
        return next(self._call).hello

    def send(self, *events, cancelled=()):
        """Each: (lane, name, request). Returns their ids."""
        frame = protos.BrokerFrame(first=self._next, cancelled=cancelled)
        for lane, name, request in events:
            event = frame.events.add(lane=lane)
            getattr(event, name).CopyFrom(request)
        self._frames.put(frame)
        self._next += len(events)
        return list(range(frame.first, self._next))

    def until(self, *ids):
        """Reads frames until these have been finished; returns what with."""
        while not all(number in self.finished for number in ids):
            self._read()
        return [self.finished[number] for number in ids]

    def _read(self):
        frame = next(self._call)
        for done in frame.done:
            for number in range(done.first, done.first + (done.count or 1)):
                assert number not in self.finished
                self.finished[number] = None
        for verdict in frame.verdicts:
            assert verdict.id not in self.finished
            self.finished[verdict.id] = verdict
        finished = sum(done.count or 1 for done in frame.done) + len(frame.verdicts)
        assert frame.grant == finished
        self.closing = self.closing or frame.closing

    def until_closing(self):
        while not self.closing:
            self._read()

    def half_close(self):
        self._frames.put(None)

    def code(self):
        return self._call.code()


class Serve(unittest.TestCase):
    def setUp(self):
        self.app = hookmq.App()

    def serve(self, **options):
        running = Running(self.app, **options)
        self.addCleanup(running.stop)
        return running

    def test_loads_in_both_versions(self):
        loaded = []
        self.app.on_load(lambda broker: loaded.append(broker.version))
        self.app.on_message_publish(topics=["a/#"])(lambda message: None)
        running = self.serve()
        for version in ("v2", "v3"):
            request = protos.message_class(f"emqx.exhook.{version}.ProviderLoadedRequest")()
            request.broker.version = "5.8.0"
            response, call = running.call("OnProviderLoaded", request, version, metadata=True)
            self.assertEqual(
                [(hook.name, list(hook.topics)) for hook in response.hooks], [("message.publish", ["a/#"])]
            )
            self.assertIn(("hookmq-messages", "full"), [tuple(pair) for pair in call.initial_metadata()])
        self.assertEqual(loaded, ["5.8.0", "5.8.0"])
        running.call("OnClientConnected", protos.message_class(V3 + "ClientConnectedRequest")())

    def test_on_load_that_fails_is_told(self):
        @self.app.on_load
        async def load(broker):
            raise RuntimeError("no database")

        with self.assertLogs("hookmq", "ERROR"), self.assertRaises(grpc.RpcError) as caught:
            self.serve().call("OnProviderLoaded", protos.message_class(V3 + "ProviderLoadedRequest")())
        self.assertIn("no database", caught.exception.details())

    def test_health(self):
        running = self.serve()
        check = running.channel.unary_unary("/grpc.health.v1.Health/Check")
        watch = running.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
        name = b"emqx.exhook.v3.HookProvider"
        self.assertEqual([check(b""), check(b"\x0a" + bytes([len(name)]) + name), next(watch)], [b"\x08\x01"] * 3)
        with self.assertRaises(grpc.RpcError) as caught:
            check(b"\x0a\x01x")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
        running.begin_stop()
        self.assertEqual(next(watch), b"\x08\x02")

    def test_answers_without_the_headers_of_hookmq(self):
        answers = {
            "a": lambda m: m.replace(payload="new", retain=True),
            "b": hookmq.Reject(0x97),
            "c": hookmq.Stop(),
            "d": hookmq.Continue(),
        }

        @self.app.on_message_publish
        def publish(message):
            answer = answers.get(message.topic)
            return answer(message) if callable(answer) else answer

        running = self.serve()
        with self.assertLogs("hookmq", "WARNING") as logged:
            found = {topic: running.call("OnMessagePublish", message(topic, username="u")) for topic in "abcde"}
        self.assertEqual({topic: one.type for topic, one in found.items()}, {"a": 0, "b": 2, "c": 2, "d": 1, "e": 1})
        self.assertEqual((found["a"].message.payload, found["a"].message.qos), (b"new", 1))
        self.assertEqual(dict(found["a"].message.headers), {"username": "u"})
        self.assertEqual(dict(found["b"].message.headers), {"username": "u", "allow_publish": "false"})
        self.assertEqual(found["c"].message.payload, b"x")
        self.assertEqual(len(logged.output), 2)

    def test_the_qos_of_brokers_before_emqx_5_4(self):
        seen = []
        self.app.on_client_subscribe()(
            lambda event: seen.extend((one.filter, one.qos, one.no_local) for one in event.filters)
        )
        running = self.serve()
        # topic_filters: {name: a, qos: 2} of 5.0, {name: b, subopts: {qos: 1, nl: 1}} of 5.4, {name: c}
        filters = [b"\n\x01a\x10\x02", b"\n\x01b\x1a\x04\x08\x01(\x01", b"\n\x01c"]
        body = b"".join(b"\x1a" + bytes([len(one)]) + one for one in filters)
        request = protos.message_class("emqx.exhook.v2.ClientSubscribeRequest").FromString(body)
        running.call("OnClientSubscribe", request, "v2")
        self.assertEqual(seen, [("a", 2, False), ("b", 1, True), ("c", 0, False)])

    def test_a_handler_that_raises_and_bytes_that_are_none(self):
        self.app.on_message_publish(lambda message: 1 / 0)
        running = self.serve()
        with self.assertLogs("hookmq", "ERROR"), self.assertRaises(grpc.RpcError) as caught:
            running.call("OnMessagePublish", message())
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNKNOWN)
        self.assertRegex(caught.exception.details(), r"test_serve\.py:\d+: .* raised ZeroDivisionError")
        with self.assertLogs(level="ERROR"), self.assertRaises(grpc.RpcError):
            running.channel.unary_unary(f"/{V3}HookProvider/OnMessagePublish")(b"\xff\xff\xff")
        stream = running.stream()
        stream.hello()
        with self.assertLogs("hookmq", "ERROR"):
            time.sleep(1)  # of equal failures, one a second is logged
            [verdict] = stream.until(*stream.send((1, "message_publish", message())))
        self.assertEqual(verdict.error.code, 2)
        self.assertIn("ZeroDivisionError", verdict.error.message)

    def test_a_stream(self):
        self.app.on_message_publish(lambda m: m.replace(payload=m.text * 2) if m.topic == "twice" else None)
        for threads in (0, 1, 4):
            running = self.serve(threads=threads)
            stream = running.stream()
            hello = stream.hello(timeout=5000, max_frame_bytes=100_000)
            self.assertEqual((hello.version, hello.grant > 0), (1, True))
            events = [
                (lane, "message_publish", message("twice" if lane % 2 else "a", b"%d" % lane)) for lane in range(50)
            ]
            verdicts = stream.until(*stream.send(*events))
            for lane, verdict in enumerate(verdicts):
                if lane % 2:
                    self.assertEqual(verdict.response.message.payload, b"%d" % lane * 2)
                else:
                    self.assertIsNone(verdict)
            # A hook that nobody wants, and an answer that the broker does not take.
            connected = protos.message_class(V3 + "ClientConnectedRequest")()
            with self.assertLogs("hookmq", "ERROR"):
                unwanted, large = stream.until(
                    *stream.send(
                        (1, "client_connected", connected), (1, "message_publish", message("twice", b"x" * 60_000))
                    )
                )
            self.assertIsNone(unwanted)
            self.assertIn("100000 bytes", large.error.message)
            stream.half_close()
            with self.assertRaises(StopIteration):
                stream._read()
            self.assertEqual(stream.code(), grpc.StatusCode.OK)

    def test_a_client_that_waits_holds_up_no_other_and_keeps_its_order(self):
        gate = threading.Event()
        seen = []

        @self.app.on_message_publish
        def publish(message):
            if message.text == "wait":
                gate.wait(10)
            seen.append(message.text)

        stream = self.serve(threads=2).stream()
        stream.hello()
        waiting, behind, other = stream.send(
            (1, "message_publish", message(payload=b"wait")),
            (1, "message_publish", message(payload=b"behind")),
            (2, "message_publish", message(payload=b"other")),
        )
        stream.until(other)
        self.assertEqual(list(stream.finished), [other])
        gate.set()
        stream.until(waiting, behind)
        self.assertEqual(seen, ["other", "wait", "behind"])

    def test_what_was_cancelled_is_skipped(self):
        gate = threading.Event()
        seen = []

        @self.app.on_message_publish
        def publish(message):
            gate.wait(10)
            seen.append(message.text)

        stream = self.serve(threads=1).stream()
        stream.hello()
        first = stream.send((1, "message_publish", message(payload=b"1")))
        second = stream.send((1, "message_publish", message(payload=b"2")))
        stream.send(cancelled=second)
        # The frame has been read when a later one has: its event is of a hook that nobody wants.
        probe = stream.send((1, "client_connected", protos.message_class(V3 + "ClientConnectedRequest")()))
        stream.until(*probe)
        gate.set()
        stream.until(*first, *second)
        self.assertEqual(seen, ["1"])

    def test_what_was_cancelled_holds_up_nobody(self):
        seen = []

        @self.app.on_message_publish
        async def publish(message):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        @self.app.on_client_connected
        async def connected(client):
            seen.append("connected")

        stream = self.serve().stream()
        stream.hello()
        notification = protos.message_class(V3 + "ClientConnectedRequest")()
        first, second = stream.send((1, "message_publish", message()), (1, "client_connected", notification))
        time.sleep(0.1)
        stream.send(cancelled=[first])
        stream.until(first, second)
        self.assertEqual(seen, ["cancelled", "connected"])

    def test_stopping_finishes_what_was_taken(self):
        gate = threading.Event()
        calls = []
        self.app.on_unload(lambda: calls.append("unload"))

        @self.app.on_message_publish
        async def publish(message):
            await asyncio.get_running_loop().run_in_executor(None, gate.wait, 10)
            return message.replace(payload=b"late")

        running = self.serve()
        running.call("OnProviderLoaded", protos.message_class(V3 + "ProviderLoadedRequest")())
        stream = running.stream()
        stream.hello()
        ids = stream.send((1, "message_publish", message()))
        running.begin_stop()
        stream.until_closing()
        stream.half_close()
        gate.set()
        [verdict] = stream.until(*ids)
        self.assertEqual(verdict.response.message.payload, b"late")
        running._thread.join(10)
        self.assertEqual(calls, ["unload"])


if __name__ == "__main__":
    unittest.main()
