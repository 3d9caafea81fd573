"""What goes wrong because of a hooks file, said so that its author finds the place."""

from __future__ import annotations

import inspect
import os
from typing import Any, Callable


class HookError(Exception):
    """A mistake in a hooks file: an unknown hook name, a handler that cannot be called, an answer that means nothing.

    The text begins with file, line and function where they are known.
    """


def describe(handler: Callable[..., Any]) -> str:
    """``hooks.py:12: on_publish``: where a handler is written."""
    function = inspect.unwrap(getattr(handler, "func", handler))
    code = getattr(function, "__code__", None) or getattr(getattr(function, "__call__", None), "__code__", None)
    name = getattr(function, "__qualname__", None) or type(handler).__name__
    if code is None:
        return name
    file = code.co_filename
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive
        relative = file
    return "{}:{}: {}".format(file if relative.startswith("..") else relative, code.co_firstlineno, name)
