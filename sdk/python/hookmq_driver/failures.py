"""An exception of a handler as the broker gets it: type, text, traceback, place."""

import os
import sys
import traceback

_OWN = os.path.dirname(os.path.abspath(__file__))
_SDK = os.path.dirname(_OWN)
_LONGEST_TEXT = 2000
_LONGEST_TRACEBACK = 8000


def describe(error):
    """``(type, text, traceback, place)``; place is None when no line of the handler is to blame."""
    kind = type(error)
    name = kind.__name__ if kind.__module__ in ("builtins", "__main__") else "%s.%s" % (kind.__module__, kind.__name__)
    return name, _cut(_text(error), _LONGEST_TEXT), _cut(_traceback(error), _LONGEST_TRACEBACK), _place(error)


def _text(error):
    if isinstance(error, SyntaxError):
        return str(error.msg)
    try:
        return str(error)
    except Exception as second:
        return "its text cannot be shown: %s" % type(second).__name__


def _traceback(error):
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:
        return ""


def _place(error):
    if isinstance(error, SyntaxError) and error.filename:
        return "%s line %s" % (_short(error.filename), error.lineno)
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if not _is_ours(code.co_filename):
            found = "%s line %d, in %s" % (_short(code.co_filename), line, code.co_name)
    return found


def _is_ours(file):
    if file.startswith("<frozen"):
        return True
    path = os.path.abspath(file)
    return any(path.startswith(os.path.join(_SDK, name) + os.sep) for name in ("hookmq_driver", "emqx_extension", "hookmq")) or (
        os.sep + "importlib" + os.sep in path and path.startswith(sys.base_prefix)
    )


def _short(file):
    """Relative to the broker's folder, when it is in it."""
    path = os.path.abspath(file)
    here = os.getcwd() + os.sep
    return path[len(here) :] if path.startswith(here) else path


def _cut(text, longest):
    return text if len(text) <= longest else text[:longest] + " …"
