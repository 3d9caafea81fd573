"""What becomes of a handler's values on their way to the broker, and of the state on its way back."""

import pickle

from erlport.erlterms import Atom, List

# Deeper ones are no verdicts.
_DEEPEST = 16


class NotSimple(Exception):
    """The value cannot leave this process."""


def text_of(value):
    """str of a str, of bytes or of a list of code points; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, List):
        try:
            return value.to_string()
        except TypeError:
            return None
    return None


def simple(value, depth=0):
    """The value in types that marshal writes. Ellipsis stands for what only Python understands."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if depth < _DEEPEST:
        if isinstance(value, tuple):
            return tuple(simple(one, depth + 1) for one in value)
        if isinstance(value, list):
            return [simple(one, depth + 1) for one in value]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return str(value)
    return ...


_PLAIN = frozenset((bool, type(None), int, float, bytes, str))


def state_source(state):
    """
    A function that gives the state for one call. As when it went through the broker each time: str has become a list of code points, and what has
    only meaning in Python is a fresh copy.
    """
    if _is_constant(state):
        return lambda: state
    if _is_plain(state):
        return lambda: _rebuilt(state)
    try:
        frozen = pickle.dumps(_frozen(state))
    except Exception as error:
        raise NotSimple("the state cannot be pickled: %s: %s" % (type(error).__name__, error)) from None
    return lambda: _rebuilt(pickle.loads(frozen))


def _is_constant(value):
    return type(value) in (bool, type(None), int, float, bytes, Atom) or (
        type(value) is tuple and all(_is_constant(one) for one in value)
    )


def _is_plain(value):
    return _is_constant(value) or (isinstance(value, (tuple, list)) and all(_is_plain(one) for one in value))


def _frozen(value):
    if type(value) is str:
        return List([ord(one) for one in value])
    if type(value) is tuple:
        return tuple(_frozen(one) for one in value)
    if type(value) in (list, List):
        return List([_frozen(one) for one in value])
    return value


def _rebuilt(value):
    if type(value) is tuple:
        return tuple(_rebuilt(one) for one in value)
    if type(value) in (list, List):
        return List([_rebuilt(one) for one in value])
    return value
