"""The Python API of EMQX 4.1 extensions: subclass ``EmqxHookSdk``, decorate its methods with ``hooks_handler()``."""

from emqx_extension.hooks import EmqxHookSdk, hooks_handler

__all__ = ["EmqxHookSdk", "hooks_handler"]
