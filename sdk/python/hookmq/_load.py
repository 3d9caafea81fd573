"""Finds the App of ``hooks.py``, ``hooks.py:app`` or ``package.module:app``."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from types import ModuleType
from typing import Optional, Tuple

from .app import App, find_app
from .errors import HookError


def load_app(target: str) -> App:
    """Raises HookError, in words for the author of the file, when there is no such file, or when it cannot be run."""
    name, attribute = _split(target)
    if name.endswith(".py") or os.sep in name:
        return find_app(_from_file(name), name, attribute)
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.split(".")[0] == error.name.split(".")[0]:
            raise HookError(f"{name}: no such module, and no such file") from None
        raise HookError(_what_happened(name, error)) from None
    except Exception as error:
        raise HookError(_what_happened(name, error)) from None
    return find_app(module, name, attribute)


def _split(target: str) -> Tuple[str, Optional[str]]:
    before, colon, after = target.rpartition(":")
    if colon and after.isidentifier():
        return before, after
    return target, None


def _from_file(file: str) -> ModuleType:
    path = os.path.abspath(file)
    if not os.path.isfile(path):
        raise HookError(f"{file}: no such file")
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise HookError(f"{file}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise HookError(_what_happened(file, error)) from None
    return module


def _what_happened(file: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return "{}:{}: {}\n    {}".format(error.filename, error.lineno, error.msg, (error.text or "").strip())
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and os.path.dirname(frame.filename) != os.path.dirname(__file__)
    ]
    if isinstance(error, HookError):
        where = f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""
        text = str(error)
        return text if text.startswith(os.path.basename(file)) or ".py:" in text else where + text
    shown = "".join(traceback.format_list(frames)).rstrip()
    return f"{file}: {type(error).__name__}: {error}\n{shown}".rstrip()
