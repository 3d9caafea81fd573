"""
From the broker's values to the arguments of a callback of EMQX 4.1, in their order, without the state.

Symbols and the keys of pairs that never change do not travel: both sides know where they are.
"""

from erlport.erlterms import Atom, List

_CONNINFO = tuple(
    Atom(key)
    for key in (b"node", b"clientid", b"username", b"peerhost", b"sockport", b"proto_name", b"proto_ver", b"keepalive")
)
_CLIENTINFO = tuple(
    Atom(key)
    for key in (
        b"node",
        b"clientid",
        b"username",
        b"password",
        b"peerhost",
        b"sockport",
        b"protocol",
        b"mountpoint",
        b"is_superuser",
        b"anonymous",
    )
)
_MESSAGE = tuple(Atom(key) for key in (b"node", b"id", b"qos", b"from", b"topic", b"payload", b"timestamp"))


class _Atoms(dict):
    """Symbols are few; should a client find a way to make many, they are made anew each time."""

    def __missing__(self, name):
        made = Atom(name)
        if len(self) < 4096:
            self[name] = made
        return made


_atoms = _Atoms()


def _conninfo(values):
    return List(zip(_CONNINFO, (_atoms[values[0]],) + values[1:]))


def _clientinfo(values):
    return List(zip(_CLIENTINFO, (_atoms[values[0]],) + values[1:6] + (_atoms[values[6]],) + values[7:]))


def _message(values):
    return List(zip(_MESSAGE, (_atoms[values[0]],) + values[1:]))


def _props(pairs):
    return List([(_atoms[key], List(value) if type(value) is list else value) for key, value in pairs])


def _pairs(pairs):
    return List([(_atoms[key], value) for key, value in pairs])


def _as_is(value):
    return value


def _atom(name):
    return _atoms[name]


_CLIENT = (_clientinfo,)
_CLIENT_REASON = (_clientinfo, _as_is)
_FILTERS = (_clientinfo, _props, List)

# Hook to what makes each of its arguments.
_ARGUMENTS = {
    b"client_connect": (_conninfo, _props),
    b"client_connack": (_conninfo, _atom, _props),
    b"client_connected": _CLIENT,
    b"client_disconnected": _CLIENT_REASON,
    b"client_authenticate": (_clientinfo, _as_is),
    b"client_check_acl": (_clientinfo, _atom, _as_is, _as_is),
    b"client_subscribe": _FILTERS,
    b"client_unsubscribe": _FILTERS,
    b"session_created": _CLIENT,
    b"session_resumed": _CLIENT,
    b"session_discarded": _CLIENT,
    b"session_takeovered": _CLIENT,
    b"session_subscribed": (_clientinfo, _as_is, _pairs),
    b"session_unsubscribed": _CLIENT_REASON,
    b"session_terminated": _CLIENT_REASON,
    b"message_publish": (_message,),
    b"message_delivered": (_clientinfo, _message),
    b"message_acked": (_clientinfo, _message),
    b"message_dropped": (_message, _as_is),
}

# Those whose return value the broker looks at.
_VALUED = {"client_authenticate", "client_check_acl", "message_publish"}


def is_valued(hook):
    return hook in _VALUED


def makers(hook):
    """What makes each argument; None for a hook that never fires."""
    return _ARGUMENTS.get(hook.encode("utf-8", "replace"))
