"""The names of EMQX 4.1: what files import, and what the driver makes of their answers."""

import sys
import types
import unittest

from emqx_extension import EmqxHookSdk, hooks_handler
from emqx_extension import hooks as hooks_module
from emqx_extension import states
from emqx_extension import types as sdk_types
from emqx_extension.types import EMQXBase
from erlport.erlterms import Atom, ImproperList, List, OpaqueObject
from hookmq_driver import compatible, layouts
from hookmq_driver.terms import NotSimple, simple, state_source

MESSAGE = List(
    [
        (Atom(b"node"), Atom(b"n@h")),
        (Atom(b"id"), b"00"),
        (Atom(b"qos"), 1),
        (Atom(b"from"), b"c"),
        (Atom(b"topic"), b"t"),
        (Atom(b"payload"), b"\xff"),
        (Atom(b"timestamp"), 7),
    ]
)


class Erlterms(unittest.TestCase):
    def test_atom(self):
        self.assertEqual(Atom(b"publish"), b"publish")
        self.assertIsInstance(Atom(b"a"), bytes)
        self.assertEqual(repr(Atom(b"a")), "Atom(b'a')")
        self.assertEqual({Atom(b"a"): 1}[b"a"], 1)
        with self.assertRaises(ValueError):
            Atom(b"x" * 256)

    def test_list(self):
        self.assertIsInstance(List([1]), list)
        self.assertEqual(List([104, 0x4F60]).to_string(), "h\u4f60")
        with self.assertRaises(TypeError):
            List([b"x"]).to_string()
        self.assertEqual(ImproperList([1], 2).tail, 2)
        with self.assertRaises(ValueError):
            ImproperList([], 2)

    def test_opaque(self):
        import pickle

        self.assertEqual(OpaqueObject(pickle.dumps({"a": 1})).decode(), {"a": 1})
        foreign = OpaqueObject(b"x", b"java")
        self.assertIs(foreign.decode(), foreign)
        self.assertEqual(foreign, OpaqueObject(b"x", b"java"))

    def test_erlang_says_that_there_is_none(self):
        from erlport import erlang

        with self.assertRaisesRegex(NotImplementedError, "erlport.erlang.call"):
            erlang.call(Atom(b"m"), Atom(b"f"), [])


class Sdk(unittest.TestCase):
    def test_names(self):
        self.assertEqual(len(hooks_module.EMQX_HOOK_DICT), 19)
        self.assertEqual(hooks_module.EMQX_HOOK_DICT["on_session_takeovered"], "session_takeovered")
        self.assertEqual((states.EMQX_OK, states.EMQX_ERROR), (0, 1))
        for name in ("EMQX_TOPICS", "EMQX_CLIENTINFO_T", "EMQX_MESSAGE_T", "EMQX_OPTS_T", "EMQX_PROPS_T"):
            self.assertTrue(hasattr(sdk_types, name), name)
        self.assertEqual(len(sdk_types.EMQX_CLIENTINFO_PARSE_T().to_dict()), 10)
        self.assertEqual(
            list(sdk_types.EMQX_MESSAGE_PARSE_T().to_dict()),
            ["node", "id", "qos", "from_clientid", "topic", "payload", "timestamp"],
        )
        self.assertEqual(list(sdk_types.EMQX_OPTS_PARSE_T().to_dict()), ["is_new", "nl", "qos", "rap", "rh"])

    def test_start_lists_the_methods_of_the_class_body_in_its_order(self):
        class Middle(EmqxHookSdk):
            def on_client_connected(self, clientinfo, state):
                pass

        class Own(Middle):
            def on_message_publish(self, message, state):
                pass

            def helper(self):
                pass

            def on_client_connect(self, conninfo, props, state):
                pass

        own = Own(hook_module="hooks.own")
        self.assertEqual(
            own.start(),
            (
                0,
                (
                    [
                        ("message_publish", "hooks", "own.on_message_publish", []),
                        ("client_connect", "hooks", "own.on_client_connect", []),
                    ],
                    (),
                ),
            ),
        )
        self.assertEqual(Own("hooks.own").start(["a/#"])[1][0][0][3], ["a/#"])
        self.assertEqual(own.hook_module, "hooks.own")
        for wrong in ("hooks", ".own", "hooks.", ""):
            with self.assertRaises(ValueError):
                EmqxHookSdk(wrong)

    def test_defaults_do_nothing(self):
        base = EmqxHookSdk("a.b")
        self.assertIsNone(base.on_client_authenticate([], True, ()))
        self.assertIsNone(EmqxHookSdk.on_client_authenticate([], True, ()))
        self.assertIsNone(base.on_client_connect([], [], ()))
        self.assertIsNone(base.parse())

    def test_the_decorator_converts(self):
        @hooks_handler()
        def method(*args, **kwargs):
            """Text."""
            return args, kwargs

        me = object()
        (own, message, text, atom, flag, number, state, nothing), kwargs = method(
            me, MESSAGE, b"t", Atom(b"publish"), True, 5, (), None, extra=b"kept"
        )
        self.assertIs(own, me)
        self.assertIs(type(message), EMQXBase)
        self.assertEqual(
            message.to_dict(),
            {"node": "n@h", "id": "00", "qos": 1, "from_clientid": "c", "topic": "t", "payload": "\ufffd", "timestamp": 7},
        )
        self.assertEqual((text, atom, flag, number, state, nothing), ("t", "publish", True, 5, (), None))
        self.assertIs(type(atom), str)
        self.assertEqual(kwargs, {"extra": b"kept"})
        self.assertEqual((method.__name__, method.__doc__), ("method", "Text."))

    def test_empty_lists_become_objects_without_attributes(self):
        given = hooks_handler()(lambda value: value)(List())
        self.assertIsInstance(given, EMQXBase)
        self.assertEqual(given.to_dict(), {})
        props = hooks_handler()(lambda value: value)(List([(Atom(b"Session-Expiry-Interval"), 60)]))
        self.assertEqual(getattr(props, "Session-Expiry-Interval"), 60)

    def test_a_bool_becomes_a_verdict_and_nothing_else_does(self):
        for value, expected in ((True, (0, True)), (False, (0, False)), (None, None), (1, 1), ((0, True), (0, True))):
            self.assertEqual(hooks_handler(topics=["x"])(lambda value=value: value)(), expected)


def handler_of(**functions):
    module = types.ModuleType("given")
    module.__dict__.update(functions)
    sys.modules["given"] = module
    made = compatible.Handler(module)
    made.start(lambda replies: None)
    return made


class Driver(unittest.TestCase):
    def test_specs_in_every_spelling(self):
        given = [
            ("client_connect", "given", "f"),
            (b"message_publish", Atom(b"given"), b"f", [(b"topics", [b"a"])]),
            ["message_acked", "given", "f", [(Atom(b"topics"), ["b", b"c"]), ("other", 1)]],
            ("message_dropped", List([103, 105, 118, 101, 110]), "f", ["d/#"]),
            ("client_connected", "given", "f", ["not for clients"]),
            ("message_delivered", "given", "f", None),
        ]
        made = handler_of(init=lambda: (0, (given, ())), f=lambda *args: None)
        self.assertEqual(
            [(hook, topics) for hook, _, topics, _ in made.callbacks],
            [
                ("client_connect", []),
                ("message_publish", ["a"]),
                ("message_acked", ["b", "c"]),
                ("message_dropped", ["d/#"]),
                ("client_connected", []),
                ("message_delivered", []),
            ],
        )
        self.assertEqual(made.warnings, [])

    def test_state_is_what_it_was_each_time(self):
        self.assertEqual(state_source(())(), ())
        self.assertEqual(state_source("ab")(), [97, 98])
        for state in ([1, [2]], {"a": []}, ({1}, "a")):
            fresh = state_source(state)
            first, second = fresh(), fresh()
            self.assertEqual(first, second)
        changing = state_source([[1]])
        changing()[0].append(2)
        self.assertEqual(changing(), [[1]])
        with self.assertRaises(NotSimple):
            state_source(lambda: None)

    def test_answers_leave_the_process_in_plain_types(self):
        self.assertEqual(simple((0, List([(Atom(b"a"), b"b")]))), (0, [(b"a", b"b")]))
        self.assertIs(type(simple(Atom(b"a"))), bytes)
        self.assertIs(simple(object()), ...)
        deep = []
        for _ in range(100):
            deep = [deep]
        simple(deep)

    def test_a_call_that_fails_is_one_reply(self):
        def fail(*args):
            raise SystemExit(3)

        made = handler_of(
            init=lambda: (0, ([("client_connected", "given", "f"), ("message_publish", "given", "g")], ())),
            f=fail,
            g=lambda message, state: (0, message),
        )
        client = (b"n", b"c", b"", b"", b"", 0, b"mqtt", b"", False, True)
        failed, told = made.handle(
            [(1, 0, b"c", (client,)), (2, 1, b"c", ((b"n", b"id", 0, b"c", b"t", b"p", 1),))]
        )
        self.assertEqual(failed[:3], (1, "SystemExit", "3"))
        self.assertEqual(told[0], 2)
        self.assertEqual(told[1][1][4], (b"topic", b"t"))

    def test_every_hook_has_a_layout(self):
        for hook in hooks_module.EMQX_HOOK_DICT.values():
            self.assertIsNotNone(layouts.makers(hook), hook)
        self.assertIsNone(layouts.makers("client_conect"))


if __name__ == "__main__":
    unittest.main()
