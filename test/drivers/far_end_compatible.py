"""Functions alone, as a main.py for EMQX 4.1 has them."""

import far_end

NAMES = {"client.authorize": "client_check_acl", "session.takenover": "session_takeovered"}


def init():
    far_end.note("load")
    if "refuseLoad" in far_end.script:
        return (1, far_end.script["refuseLoad"])
    return (0, ([_spec(hook) for hook in far_end.script["hooks"]], ()))


def deinit():
    far_end.note("unload")


def _spec(hook):
    point = hook["name"]
    name = NAMES.get(point, point.replace(".", "_"))
    globals()[name] = _callback("client.authorize" if name == "client_check_acl" else point)
    return (name, __name__, name, [("topics", hook["topics"])] if hook.get("topics") else [])


def _callback(point):
    def callback(*args):
        client, topic = "", None
        for arg in args[:-1]:
            fields = dict(arg) if isinstance(arg, list) and arg and isinstance(arg[0], tuple) else {}
            client = client or (fields.get(b"clientid") or fields.get(b"from") or b"").decode()
            topic = fields.get(b"topic", topic)
        if point in ("client.authorize", "session.subscribed"):
            topic = args[2 if point == "client.authorize" else 1]
        far_end.received(point, client, None if topic is None else topic.decode())
        return _do(far_end.answer(point))

    return callback


def _do(answer):
    kind = answer["do"]
    if kind == "hold":
        far_end.hold()
    elif kind == "throw":
        raise RuntimeError("scripted")
    elif kind == "payload":
        return (0, [(b"payload", answer["payload"].encode())])
    elif kind in ("allow", "deny"):
        return (0, kind == "allow")
    return None
