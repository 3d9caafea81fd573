"""What a handler may answer. No answer (``None``) means: no opinion, go on."""

from __future__ import annotations

from typing import Any, Awaitable, Dict, Mapping, Optional, Tuple, TypeVar, Union

from .errors import HookError
from .events import Message


class Verdict:
    """Base of all verdicts."""

    __slots__: Tuple[str, ...] = ()

    def _values(self) -> Dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), repr(self)))

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self._values().items() if value not in (None, {}))
        return "{}({})".format(type(self).__name__, ", ".join(shown))


class Allow(Verdict):
    """Let the client in, or let it do what it asked for. Nobody else is asked, unless inside ``Continue``."""

    __slots__ = ("superuser", "client_id", "username", "attributes", "expires_at", "cacheable")

    def __init__(
        self,
        *,
        superuser: Optional[bool] = None,
        client_id: Optional[str] = None,
        username: Optional[str] = None,
        attributes: Optional[Mapping[str, str]] = None,
        expires_at: Optional[int] = None,
        cacheable: bool = True,
    ) -> None:
        #: client.authenticate: no permission is ever asked for.
        self.superuser = superuser
        #: client.authenticate: instead of those in CONNECT.
        self.client_id = client_id
        self.username = username
        self.attributes = attributes
        #: client.authenticate: milliseconds since the epoch; the client is disconnected then.
        self.expires_at = expires_at
        #: client.authorize: may the broker remember the answer?
        self.cacheable = cacheable


class Deny(Verdict):
    """Do not. ``reason_code`` (client.authenticate) is what an MQTT 5 client is told; default 0x87, not authorized."""

    __slots__ = ("reason_code", "reason", "cacheable")

    def __init__(self, reason_code: int = 0x87, reason: Optional[str] = None, *, cacheable: bool = True) -> None:
        self.reason_code = _refusing(reason_code)
        self.reason = reason
        self.cacheable = cacheable


class Drop(Verdict):
    """message.publish: nobody gets the message; its publisher is acknowledged as usual."""

    __slots__ = ("reason",)

    def __init__(self, reason: Optional[str] = None) -> None:
        #: A short word for metrics and logs.
        self.reason = reason


class Reject(Verdict):
    """message.publish: nobody gets the message; an MQTT 5 publisher is told why."""

    __slots__ = ("reason_code", "reason")

    def __init__(self, reason_code: int = 0x83, reason: Optional[str] = None) -> None:
        self.reason_code = _refusing(reason_code)
        self.reason = reason


class Disconnect(Verdict):
    """message.publish: nobody gets the message, and its publisher is disconnected."""

    __slots__ = ("reason_code", "reason")

    def __init__(self, reason_code: int = 0x83, reason: Optional[str] = None) -> None:
        self.reason_code = _refusing(reason_code)
        self.reason = reason


class Continue(Verdict):
    """Go on with this value: later hooks may still decide otherwise."""

    __slots__ = ("value",)

    def __init__(self, value: Union[Message, Allow, Deny, bool, None] = None) -> None:
        self.value = value


class Stop(Verdict):
    """Go on with this value (or with what there was), but ask no further hook."""

    __slots__ = ("value",)

    def __init__(self, value: Union[Message, Allow, Deny, bool, None] = None) -> None:
        self.value = value


def _refusing(code: int) -> int:
    if isinstance(code, bool) or not isinstance(code, int) or not 0x80 <= code <= 0xFF:
        raise HookError(f"reason_code: expected an MQTT 5 reason code from 0x80 to 0xFF, got {code!r}")
    return int(code)


_T = TypeVar("_T")
#: A handler may be a plain function or ``async``.
Maybe = Union[_T, Awaitable[_T]]
#: What a handler of message.publish returns.
PublishVerdict = Union[None, Message, Continue, Stop, Drop, Reject, Disconnect]
#: What handlers of client.authenticate and client.authorize return.
AccessVerdict = Union[None, bool, Allow, Deny, Continue, Stop]
