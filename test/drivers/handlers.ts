/** Handlers in the ways in which they were written for EMQX 4.1. */

/** Functions alone: prints what it gets, as Python sees it. */
export const rawMain = `
from erlport.erlterms import Atom, List

OK = 0

HOOKS = ["client_connect", "client_connack", "client_connected", "client_disconnected", "client_subscribe",
         "client_unsubscribe", "session_created", "session_subscribed", "session_unsubscribed", "session_resumed",
         "session_discarded", "session_takeovered", "session_terminated"]

def init():
    specs = [(hook, "main", "told_" + hook, []) for hook in HOOKS]
    specs += [("client_authenticate", "main", "on_client_authenticate", []),
              ("client_check_acl", "main", "on_client_check_acl", []),
              ("message_publish", "main", "on_message_publish", [(b"topics", [b"a/#", "b"])]),
              ("message_delivered", "main", "told_message_delivered", [("topics", [b"a/#"])]),
              ("message_acked", "main", "told_message_acked", [(Atom(b"topics"), [b"a/#"])]),
              ("message_dropped", "main", "told_message_dropped", ["gone/#"])]
    return (OK, (specs, (b"state", 7)))

def deinit():
    print("deinit")

def _teller(hook):
    def told(*args):
        print(hook, repr(args))
    return told

for hook in HOOKS + ["message_delivered", "message_acked", "message_dropped"]:
    globals()["told_" + hook] = _teller(hook)

def on_client_authenticate(clientinfo, authresult, state):
    print("client_authenticate", repr((clientinfo, authresult, state)))
    assert isinstance(clientinfo, List) and type(clientinfo[0]) is tuple
    return (OK, True)

def on_client_check_acl(clientinfo, pubsub, topic, result, state):
    print("client_check_acl", repr((pubsub, topic, result, state)))
    assert clientinfo[0] == (Atom(b"node"), Atom(b"hookmq@127.0.0.1")), clientinfo[0]
    return (OK, topic != b"secret")

def on_message_publish(message, state):
    print("message_publish", repr((message, state)))
    return message
`

/** Every method of the SDK. */
export const allMethods = `
from emqx_extension import EmqxHookSdk, hooks_handler
from emqx_extension.hooks import EMQX_HOOK_DICT
from emqx_extension.types import EMQXBase

def show(value):
    return value.to_dict() if isinstance(value, EMQXBase) else value

class All(EmqxHookSdk):
    pass

def teller(name):
    def method(self, *args):
        print(name, [show(arg) for arg in args])
        if name in ("on_client_authenticate", "on_client_check_acl"):
            return True
    method.__name__ = name
    return hooks_handler()(method)

All = type("All", (EmqxHookSdk,), {name: teller(name) for name in EMQX_HOOK_DICT})
every = All(f"{__name__}.every")

def init():
    return every.start(topics=["x/#"])

def deinit():
    print("deinit")
`
