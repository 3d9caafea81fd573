"""Hooks for the HookMQ broker: decorate functions, and the broker calls them.

import hookmq

app = hookmq.App()

@app.on_message_publish(topics=["orders/#"])
def small_only(message: hookmq.Message) -> hookmq.PublishVerdict:
    if len(message.payload) > 1024:
        return hookmq.Reject(0x97, "at most 1024 bytes, please")
    return None
"""

from .app import App
from .errors import HookError
from .events import (
    AccessRequest,
    Acked,
    BrokerInfo,
    ClientInfo,
    Connack,
    ConnectInfo,
    Credentials,
    Delivered,
    Disconnected,
    Dropped,
    Message,
    Subscribed,
    SubscribeRequest,
    Subscription,
    Terminated,
    Unsubscribed,
    UnsubscribeRequest,
)
from .verdicts import AccessVerdict, Allow, Continue, Deny, Disconnect, Drop, PublishVerdict, Reject, Stop, Verdict

__version__ = "0.1.0"

__all__ = [
    "AccessRequest",
    "AccessVerdict",
    "Acked",
    "Allow",
    "App",
    "BrokerInfo",
    "ClientInfo",
    "Connack",
    "ConnectInfo",
    "Continue",
    "Credentials",
    "Delivered",
    "Deny",
    "Disconnect",
    "Disconnected",
    "Drop",
    "Dropped",
    "HookError",
    "Message",
    "PublishVerdict",
    "Reject",
    "Stop",
    "Subscribed",
    "SubscribeRequest",
    "Subscription",
    "Terminated",
    "Unsubscribed",
    "UnsubscribeRequest",
    "Verdict",
]
