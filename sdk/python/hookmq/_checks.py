"""What MQTT can carry in the fields of a message."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Tuple

from .errors import HookError


def _wrong(name: str, value: object, expected: str) -> HookError:
    return HookError(f"replace: {name}: expected {expected}, got {value!r}")


def _topic(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or "+" in value or "#" in value or "\0" in value:
        raise _wrong(name, value, "a topic name without wildcards")
    if len(value.encode("utf-8", "surrogatepass")) > 65535:
        raise HookError(f"replace: {name}: longer than 65535 bytes")
    return value


def _payload(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise HookError(f"replace: payload: expected bytes or str, got {type(value).__name__}")
    return bytes(value)


def _qos(name: str, value: Any) -> int:
    if isinstance(value, bool) or value not in (0, 1, 2):
        raise _wrong(name, value, "0, 1 or 2")
    return int(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return value


def _text(name: str, value: Any) -> Optional[str]:
    if value is not None and not isinstance(value, str):
        raise _wrong(name, value, "text or None")
    return value


def _response_topic(name: str, value: Any) -> Optional[str]:
    return None if value is None else _topic(name, value)


def _bytes(name: str, value: Any) -> Optional[bytes]:
    if value is not None and not isinstance(value, (bytes, bytearray)):
        raise _wrong(name, value, "bytes or None")
    return None if value is None else bytes(value)


def _seconds(name: str, value: Any) -> Optional[int]:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 0xFFFFFFFF):
        raise _wrong(name, value, "seconds from 0 to 4294967295, or None")
    return value


def _indicator(name: str, value: Any) -> Optional[int]:
    if value is not None and (isinstance(value, bool) or value not in (0, 1)):
        raise _wrong(name, value, "0, 1 or None")
    return value


def _pairs(name: str, value: Any) -> Tuple[Tuple[str, str], ...]:
    try:
        pairs = tuple((key, text) for key, text in (value.items() if isinstance(value, dict) else value))
    except (TypeError, ValueError):
        raise _wrong(name, value, "pairs of text") from None
    if not all(isinstance(key, str) and isinstance(text, str) for key, text in pairs):
        raise _wrong(name, value, "pairs of text")
    return pairs


#: The fields of a message that can be changed, each with what makes a value of it. Raises HookError.
CHECKS: Dict[str, Callable[[str, Any], Any]] = {
    "topic": _topic,
    "payload": _payload,
    "qos": _qos,
    "retain": _flag,
    "content_type": _text,
    "response_topic": _response_topic,
    "correlation_data": _bytes,
    "message_expiry_interval": _seconds,
    "payload_format_indicator": _indicator,
    "user_properties": _pairs,
}
