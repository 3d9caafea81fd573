"""Decisions as answers of ExHook."""

from __future__ import annotations

import logging
from typing import Any, Callable, Dict, Set

from .._plan import Decision
from .._record import changes_of
from ..events import Message
from ..verdicts import Allow, Deny, Disconnect, Drop, Reject, Stop

CONTINUE, IGNORE, STOP = 0, 1, 2

log = logging.getLogger("hookmq")

_told: Set[str] = set()


def fill_access(response: Any, decision: Decision, request: Any) -> None:
    """Into a ValuedResponse: for client.authenticate and client.authorize."""
    value = getattr(decision, "value", None)
    if value is None and not isinstance(decision, Stop):
        response.type = IGNORE
        return
    response.type = STOP if isinstance(decision, Stop) else CONTINUE
    response.bool_result = request.result if value is None else isinstance(value, Allow)
    if isinstance(value, Deny) and value.reason_code != 0x87:
        _tell_once("a reason code of Deny", "the client is told 0x87, not authorized")
    elif isinstance(value, Allow) and (
        value.superuser or value.client_id or value.username or value.attributes or value.expires_at
    ):
        _tell_once(
            "superuser, client_id, username, attributes and expires_at of Allow", "the client is let in without them"
        )


def fill_message(response: Any, decision: Decision, request: Any) -> None:
    """Into a ValuedResponse: for message.publish."""
    if decision is None:
        response.type = IGNORE
        return
    if isinstance(decision, (Drop, Reject, Disconnect)):
        response.type = STOP
        response.message.CopyFrom(request.message)
        response.message.headers["allow_publish"] = "false"
        if not isinstance(decision, Drop):
            _tell_once(type(decision).__name__, "the message is dropped and its publisher is not told")
        return
    value = getattr(decision, "value", None)
    stops = isinstance(decision, Stop)
    if value is None and not stops:
        response.type = IGNORE
        return
    response.type = STOP if stops else CONTINUE
    answer = response.message
    answer.CopyFrom(request.message)
    if value is not None:
        _change(answer, value)


def _change(answer: Any, message: Message) -> None:
    for name in changes_of(message):
        if name == "topic":
            answer.topic = message.topic
        elif name == "payload":
            answer.payload = message.payload
        elif name == "qos":
            answer.qos = message.qos
        elif name in _BEYOND and getattr(message, name) != _BEYOND[name]:
            _tell_once("a change of " + name, "topic, payload and qos can be changed")


#: Fields that the protocol of EMQX cannot carry back, with what they are in a message made from nothing.
_BEYOND: Dict[str, Any] = {
    "retain": False,
    "content_type": None,
    "response_topic": None,
    "correlation_data": None,
    "message_expiry_interval": None,
    "payload_format_indicator": None,
    "user_properties": (),
}


def _tell_once(what: str, instead: str) -> None:
    if what not in _told:
        _told.add(what)
        log.warning(
            "%s cannot be sent over ExHook: %s. In a child process of the broker all of it works.", what, instead
        )


FILL: Dict[str, Callable[[Any, Decision, Any], None]] = {"access": fill_access, "message": fill_message}
