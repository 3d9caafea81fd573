import asyncio
import copy
import functools
import pickle
import threading
import unittest

import hookmq
from hookmq._plan import plans_of
from hookmq._record import view
from hookmq.testing import Play
from hookmq.topics import check_filter, matches


class Declaring(unittest.TestCase):
    def setUp(self):
        self.app = hookmq.App()

    def refused(self, register):
        with self.assertRaises(hookmq.HookError) as caught:
            register()
        return str(caught.exception)

    def test_all_three_ways_to_name_a_hook(self):
        @self.app.on_client_connected
        def one(client):
            pass

        @self.app.on_message_publish(topics=["t/#"], priority=5)
        def two(message):
            pass

        @self.app.hook("message.publish")
        async def three(message):
            pass

        @self.app.hook("client.check_acl")
        def old(request):
            pass

        found = [(hook.point.name, hook.topics, hook.priority, hook.is_async) for hook in self.app.hooks]
        self.assertEqual(
            found,
            [
                ("client.connected", (), 0, False),
                ("client.authorize", (), 0, False),
                ("message.publish", ("t/#",), 5, False),
                ("message.publish", (), 0, True),
            ],
        )
        self.assertEqual(one(None), None, "the function stays what it was")

    def test_every_hook_has_its_decorator(self):
        from hookmq.points import POINTS

        self.assertEqual(len(POINTS), 19)
        for point in POINTS.values():
            self.assertIn(point.decorator, hookmq.App.__annotations__)
            self.assertTrue(callable(getattr(self.app, point.decorator)))

    def test_unknown_names_say_what_was_meant(self):
        self.assertIn("did you mean 'message.publish'", self.refused(lambda: self.app.hook("message.publsh")))
        self.assertIn("did you mean 'client.connected'", self.refused(lambda: self.app.hook("client_conected")))
        with self.assertRaises(AttributeError) as caught:
            self.app.on_message_publsh
        self.assertIn("on_message_publish", str(caught.exception))

    def test_mistakes_name_file_line_and_function(self):
        def no_arguments():
            pass

        def a_generator(message):
            yield message

        def fine(message):
            pass

        for register, expected in [
            (lambda: self.app.on_message_publish(no_arguments), "message: Message"),
            (lambda: self.app.on_message_publish(a_generator), "cannot yield"),
            (lambda: self.app.on_message_publish(topics="t/#")(fine), "write ['t/#']"),
            (lambda: self.app.on_message_publish(topics=["a/#/b"])(fine), "last level only"),
            (lambda: self.app.on_client_connected(topics=["a"])(fine), "only hooks on message.*"),
            (lambda: self.app.on_client_connected(priority="high")(fine), "whole number"),
        ]:
            text = self.refused(register)
            self.assertIn(expected, text)
            self.assertRegex(text, r"test_app\.py:\d+: ")
        self.assertIn("topics=[...]", self.refused(lambda: self.app.on_message_publish(["a"])))
        self.assertIn("expected a function", self.refused(lambda: self.app.on_message_publish()(3)))

    def test_callables_of_all_kinds(self):
        class Counter:
            def __init__(self):
                self.count = 0

            def method(self, message):
                self.count += 1

            async def __call__(self, message):
                self.count += 1

        counter = Counter()
        self.app.on_message_publish(counter)
        self.app.on_message_publish(counter.method)
        self.app.on_message_publish(functools.partial(Counter.method, counter))
        self.assertEqual([hook.is_async for hook in self.app.hooks], [True, False, False])
        Play(self.app).publish("a")
        self.assertEqual(counter.count, 3)

    def test_what_the_broker_is_asked_for(self):
        ignore = lambda event: None
        self.app.on_message_publish(topics=["a/#", "b"])(ignore)
        self.app.on_message_publish(topics=["b", "c"])(ignore)
        self.app.on_message_dropped(topics=["a"])(ignore)
        self.app.on_message_dropped(ignore)
        self.app.on_client_connect(ignore)
        self.assertEqual(
            self.app._wanted(),
            [("client.connect", ()), ("message.publish", ("a/#", "b", "c")), ("message.dropped", ())],
        )


class Records(unittest.TestCase):
    def test_are_read_only_and_comparable(self):
        message = hookmq.Message("a", b"1", qos=1)
        self.assertEqual(message, hookmq.Message("a", b"1", qos=1))
        with self.assertRaises(AttributeError) as caught:
            message.topic = "b"
        self.assertIn("replace(topic=", str(caught.exception))
        with self.assertRaises(AttributeError):
            message.nonsense
        self.assertFalse(hasattr(message, "__dict__"))
        self.assertEqual(pickle.loads(pickle.dumps(message)), message)
        self.assertEqual(copy.deepcopy(message), message)

    def test_replace(self):
        message = hookmq.Message("a", b"1", from_client="c", user_properties=(("k", "v"),))
        other = message.replace(payload="ü", qos=2, retain=True).replace(message_expiry_interval=5)
        self.assertEqual(
            (other.topic, other.payload, other.qos, other.retain, other.from_client, other.message_expiry_interval),
            ("a", "ü".encode(), 2, True, "c", 5),
        )
        self.assertEqual(message.payload, b"1")
        for wrong in [
            {"topic": ""},
            {"topic": "a/#"},
            {"qos": 3},
            {"qos": True},
            {"retain": 1},
            {"payload": 5},
            {"id": "x"},
            {"user_properties": [("a", 1)]},
            {"message_expiry_interval": -1},
            {"payload_format_indicator": 2},
            {"response_topic": "+"},
            {"correlation_data": "text"},
            {"content_type": b"x"},
            {"topic": "x" * 70000},
        ]:
            with self.assertRaises(hookmq.HookError, msg=str(wrong)) as caught:
                message.replace(**wrong)
            self.assertIn(next(iter(wrong)), str(caught.exception))

    def test_fields_are_loaded_when_they_are_read(self):
        read = []
        loaders = {
            "topic": lambda raw: read.append("topic") or raw,
            "payload": lambda raw: read.append("payload") or b"",
        }
        message = view(hookmq.Message, loaders, "a/b")
        self.assertEqual((message.topic, message.topic, read), ("a/b", "a/b", ["topic"]))
        other = message.replace(qos=1)
        self.assertEqual((other.topic, other.qos, read), ("a/b", 1, ["topic", "topic"]))

    def test_a_password_is_never_printed(self):
        self.assertNotIn("secret", repr(hookmq.Credentials("c", password="secret")))

    def test_verdicts(self):
        self.assertEqual(hookmq.Reject(0x97, "no"), hookmq.Reject(0x97, "no"))
        self.assertNotEqual(hookmq.Reject(0x97), hookmq.Disconnect(0x97))
        self.assertEqual(repr(hookmq.Deny(0x86)), "Deny(reason_code=134, cacheable=True)")
        for code in (0, 0x100, "x", True):
            with self.assertRaises(hookmq.HookError):
                hookmq.Reject(code)


class Answers(unittest.TestCase):
    def setUp(self):
        self.app = hookmq.App()

    def answering(self, *answers):
        for answer in answers:
            self.app.on_message_publish(lambda message, answer=answer: answer(message) if callable(answer) else answer)
        return Play(self.app)

    def test_no_handler_and_no_answer(self):
        outcome = Play(self.app).publish("a", "1")
        self.assertEqual((outcome.published, outcome.message.payload, outcome.verdict), (True, b"1", None))
        self.assertEqual(self.answering(None).publish("a", "1").message.payload, b"1")

    def test_each_handler_gets_what_the_one_before_made(self):
        add = lambda message: message.replace(payload=message.text + "+")
        self.assertEqual(self.answering(add, add).publish("a", "1").message.payload, b"1++")

    def test_stop_and_refusals_end_it(self):
        unreached = lambda message: self.fail("asked")
        for answer in [hookmq.Drop("why"), hookmq.Reject(0x99, "no"), hookmq.Disconnect(0x98)]:
            self.setUp()
            outcome = self.answering(answer, unreached).publish("a")
            self.assertEqual((outcome.published, outcome.verdict), (False, answer))
            with self.assertRaises(AssertionError):
                outcome.message
        self.setUp()
        change = lambda message: message.replace(topic="b")
        outcome = self.answering(change, hookmq.Stop(), unreached).publish("a")
        self.assertEqual((outcome.message.topic, outcome.verdict), ("b", hookmq.Stop(outcome.message)))

    def test_topics_and_priority(self):
        seen = []
        self.app.on_message_publish(topics=["a/+"])(lambda message: seen.append(("a", message.topic)))
        self.app.on_message_publish(priority=1)(lambda message: seen.append(("all", message.topic)))
        play = Play(self.app)
        play.publish("a/b")
        play.publish("a/b/c")
        self.assertEqual(seen, [("all", "a/b"), ("a", "a/b"), ("all", "a/b/c")])

    def test_answers_that_mean_nothing(self):
        for answer, shown in [
            (True, "True"),
            ("x", "str"),
            (hookmq.Allow(), "Allow"),
            (hookmq.Continue(True), "Continue"),
        ]:
            self.setUp()
            with self.assertRaises(hookmq.HookError) as caught:
                self.answering(answer).publish("a")
            self.assertRegex(str(caught.exception), r"test_app\.py:\d+: .*message\.publish: returned " + shown)

    def test_a_coroutine_by_accident(self):
        async def work():
            return None

        with self.assertRaises(hookmq.HookError) as caught:
            self.answering(lambda message: work()).publish("a")
        self.assertIn("async def", str(caught.exception))

    def test_access(self):
        answers = {
            "yes": True,
            "no": False,
            "super": hookmq.Allow(superuser=True),
            "bad": hookmq.Deny(0x86, "wrong password"),
            "perhaps": hookmq.Continue(hookmq.Deny()),
        }
        self.app.on_client_authenticate(lambda client: answers.get(client.username))
        self.app.on_client_authenticate(
            lambda client: True if client.username == "perhaps" and not client.allowed else None
        )
        play = Play(self.app)
        found = {name: play.authenticate(username=name) for name in [*answers, "nobody"]}
        self.assertEqual(
            {name: outcome.allowed for name, outcome in found.items()},
            {"yes": True, "no": False, "super": True, "bad": False, "perhaps": True, "nobody": None},
        )
        self.assertEqual(
            (found["bad"].reason_code, found["bad"].reason, found["no"].reason_code), (0x86, "wrong password", 0x87)
        )
        with self.assertRaises(hookmq.HookError):
            self.app.on_client_authorize(lambda request: hookmq.Drop())
            Play(self.app).authorize("publish", "a")

    def test_errors_reach_the_test_and_notifications_go_on(self):
        seen = []

        def broken(client):
            raise KeyError("x")

        self.app.on_client_connected(broken)
        self.app.on_client_connected(lambda client: seen.append(client.client_id))
        with self.assertRaises(KeyError):
            Play(self.app).connected("c7")
        self.assertEqual(seen, ["c7"])

    def test_sync_and_async_together(self):
        threads = set()

        @self.app.on_message_publish
        async def first(message):
            await asyncio.sleep(0)
            threads.add(threading.current_thread().name)
            return message.replace(topic="b")

        @self.app.on_message_publish
        def second(message):
            threads.add(threading.current_thread().name)
            return message.replace(payload=message.topic)

        self.assertEqual(Play(self.app).publish("a").message.payload, b"b")
        self.assertEqual(len(threads), 2, "what may block is not run on the event loop")
        self.assertTrue(plans_of(self.app)["message.publish"].is_async)

    def test_load_and_unload(self):
        calls = []

        @self.app.on_load
        async def load(broker):
            calls.append(broker.node)

        @self.app.on_unload
        def unload():
            calls.append("unload")

        play = Play(self.app)
        play.load(node="n1")
        play.unload()
        self.assertEqual(calls, ["n1", "unload"])
        with self.assertRaises(hookmq.HookError):
            self.app.on_unload(lambda broker: None)

    def test_play_names_wrong_fields(self):
        with self.assertRaises(hookmq.HookError) as caught:
            Play(self.app).publish("a", colour="red")
        self.assertIn("colour", str(caught.exception))


class Topics(unittest.TestCase):
    def test_matching(self):
        for one, topic, expected in [
            ("a/b", "a/b", True),
            ("a/+", "a/b", True),
            ("a/+", "a/b/c", False),
            ("a/#", "a", True),
            ("#", "a/b", True),
            ("#", "$SYS/x", False),
            ("+/x", "$SYS/x", False),
            ("$SYS/#", "$SYS/x", True),
            ("a//b", "a//b", True),
            ("a/+/b", "a//b", True),
            ("a", "a/b", False),
        ]:
            self.assertEqual(matches(one, topic), expected, (one, topic))
        self.assertEqual(
            [check_filter(one) is None for one in ["a/+/#", "a+", "#/a", "", "$share/g/a"]],
            [True, False, False, False, True],
        )


if __name__ == "__main__":
    unittest.main()
