"""``EmqxHookSdk`` and ``hooks_handler``, as files written for EMQX 4.1 import them."""

import functools

from emqx_extension.states import EMQX_OK
from emqx_extension.types import EMQXBase

__all__ = ["EMQX_HOOK_DICT", "EmqxHookSdk", "hooks_handler"]

EMQX_HOOK_DICT = {
    "on_" + hook: hook
    for hook in (
        "client_connect",
        "client_connack",
        "client_connected",
        "client_disconnected",
        "client_authenticate",
        "client_check_acl",
        "client_subscribe",
        "client_unsubscribe",
        "session_created",
        "session_subscribed",
        "session_unsubscribed",
        "session_resumed",
        "session_discarded",
        "session_takeovered",
        "session_terminated",
        "message_publish",
        "message_delivered",
        "message_acked",
        "message_dropped",
    )
}


def hooks_handler(topics=None):
    """
    Decorates a method of an ``EmqxHookSdk``: lists of pairs arrive as objects, bytes as ``str``, and a returned bool is a verdict.
    ``topics`` is accepted and not used.
    """

    def decorate(method):
        @functools.wraps(method)
        def wrapper(*args, **kwargs):
            result = method(*[_readable(one) for one in args], **kwargs)
            return (EMQX_OK, result) if isinstance(result, bool) else result

        return wrapper

    return decorate


def _readable(value):
    if isinstance(value, bytes):
        # What is no UTF-8 must not cost the verdict.
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return _object(value)
    return value


def _object(pairs):
    made = EMQXBase()
    attributes = made.__dict__
    try:
        for key, value in pairs:
            name = _names.get(key) or _name(key)
            attributes[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    except (TypeError, ValueError):
        # A list, but none of pairs, such as a state that is one.
        return pairs
    return made


# Keys are few and come again with each call; topic filters, which are not, stay out.
_names = {b"from": "from_clientid"}
_most_names = 256


def _name(key):
    name = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
    if len(_names) < _most_names and len(name) < 32:
        _names[key] = name
    return name


class EmqxHookSdk:
    """Override some ``on_…`` methods, make one instance in a variable of the module, and return its ``start()`` from ``init()``."""

    def __init__(self, hook_module):
        module, dot, instance = str(hook_module).rpartition(".")
        if not dot or not module or not instance:
            raise ValueError("hook_module must be 'MODULE.VARIABLE', such as 'hooks.emqx_hook'; got %r" % (hook_module,))
        self.hook_module = hook_module

    def start(self, topics=None):
        """What ``init()`` returns: the hooks that the class body defines, and an empty state."""
        module, _, instance = self.hook_module.rpartition(".")
        specs = [
            (EMQX_HOOK_DICT[name], module, "%s.%s" % (instance, name), topics or [])
            for name in type(self).__dict__
            if name in EMQX_HOOK_DICT
        ]
        return EMQX_OK, (specs, ())

    def parse(self):
        pass

    def on_client_connect(self, conninfo, props, state):
        pass

    def on_client_connack(self, conninfo, rc, props, state):
        pass

    def on_client_connected(self, clientinfo, state):
        pass

    def on_client_disconnected(self, clientinfo, reason, state):
        pass

    @staticmethod
    def on_client_authenticate(clientinfo, authresult, state):
        pass

    def on_client_check_acl(self, clientinfo, pubsub, topic, result, state):
        pass

    def on_client_subscribe(self, clientinfo, props, topicfilters, state):
        pass

    def on_client_unsubscribe(self, clientinfo, props, topicfilters, state):
        pass

    def on_session_created(self, clientinfo, state):
        pass

    def on_session_subscribed(self, clientinfo, topic, opts, state):
        pass

    def on_session_unsubscribed(self, clientinfo, topic, state):
        pass

    def on_session_resumed(self, clientinfo, state):
        pass

    def on_session_discarded(self, clientinfo, state):
        pass

    def on_session_takeovered(self, clientinfo, state):
        pass

    def on_session_terminated(self, clientinfo, reason, state):
        pass

    def on_message_publish(self, message, state):
        pass

    def on_message_delivered(self, clientinfo, message, state):
        pass

    def on_message_acked(self, clientinfo, message, state):
        pass

    def on_message_dropped(self, message, reason, state):
        pass
