"""Message classes, made from descriptors when they are first needed.

In a pool of their own: a hooks file may bring generated code of the same protocol.
"""

from __future__ import annotations

import base64
from typing import Any, Dict, Tuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from ..points import POINTS
from ._descriptors import DESCRIPTORS

_pool = descriptor_pool.DescriptorPool()


def _fill() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(DESCRIPTORS))
    waiting = {file.name: file for file in files.file}

    def add(name: str) -> None:
        file = waiting.pop(name, None)
        if file is None:
            return
        for needed in file.dependency:
            add(needed)
        _pool.AddSerializedFile(file.SerializeToString())

    for name in list(waiting):
        add(name)


_fill()


def message_class(name: str) -> Any:
    """By full name: ``emqx.exhook.v3.ValuedResponse``."""
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


def rpc_name(hook: str) -> str:
    """``message.publish`` → ``OnMessagePublish``."""
    return "On" + "".join(part.capitalize() for part in hook.split("."))


def hook_classes(version: str) -> Dict[str, Tuple[str, Any]]:
    """Hook name → name of its call and class of its request, for ``v2`` or ``v3``."""
    package = "emqx.exhook." + version + "."
    return {hook: (rpc_name(hook), message_class(package + rpc_name(hook)[2:] + "Request")) for hook in POINTS}


BrokerFrame: Any = message_class("hookmq.exhook.v1.BrokerFrame")
ProviderFrame: Any = message_class("hookmq.exhook.v1.ProviderFrame")
