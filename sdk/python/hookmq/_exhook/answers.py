"""Decisions as answers of ExHook."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any, Callable, Dict, Set, Tuple

from .._plan import Decision
from .._record import changes_of
from ..events import Message
from ..verdicts import Allow, Deny, Disconnect, Drop, Reject, Stop
from .convert import FULL

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
        answer = response.message
        answer.CopyFrom(request.message)
        answer.headers["allow_publish"] = "false"
        if FULL + "retain" in answer.headers:
            _refuse(answer.headers, decision)
        elif not isinstance(decision, Drop):
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


def _refuse(headers: Any, decision: Decision) -> None:
    if isinstance(decision, Drop):
        headers[FULL + "drop"] = "true"
    elif isinstance(decision, Reject):
        headers[FULL + "reject"] = str(decision.reason_code)
    elif isinstance(decision, Disconnect):
        headers[FULL + "disconnect"] = str(decision.reason_code)
    reason = getattr(decision, "reason", None)
    if reason is not None:
        headers[FULL + "reason"] = reason


def _change(answer: Any, message: Message) -> None:
    headers = answer.headers
    for name in changes_of(message):
        if name == "topic":
            answer.topic = message.topic
        elif name == "payload":
            answer.payload = message.payload
        elif name == "qos":
            answer.qos = message.qos
        elif name in _HEADERS:
            header, otherwise, write = _HEADERS[name]
            value = getattr(message, name)
            if FULL + "retain" in headers:
                headers[header] = "" if value is None else write(value)
            elif value != otherwise:
                _tell_once("a change of " + name, "topic, payload and qos can be changed")


#: Header, what a message made from nothing has, and how a value is written. An empty header takes a property away.
_HEADERS: Dict[str, Tuple[str, Any, Callable[[Any], str]]] = {
    "retain": (FULL + "retain", False, lambda value: "true" if value else "false"),
    "content_type": (FULL + "property.Content-Type", None, str),
    "response_topic": (FULL + "property.Response-Topic", None, str),
    "correlation_data": (FULL + "property.Correlation-Data", None, lambda value: base64.b64encode(value).decode()),
    "message_expiry_interval": (FULL + "property.Message-Expiry-Interval", None, str),
    "payload_format_indicator": (FULL + "property.Payload-Format-Indicator", None, str),
    "user_properties": (FULL + "user_properties", (), lambda value: json.dumps(value) if value else ""),
}


def _tell_once(what: str, instead: str) -> None:
    if what not in _told:
        _told.add(what)
        log.warning("%s cannot be sent to this broker over ExHook: %s.", what, instead)


FILL: Dict[str, Callable[[Any, Decision, Any], None]] = {"access": fill_access, "message": fill_message}
