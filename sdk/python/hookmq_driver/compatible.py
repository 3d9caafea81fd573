"""Handlers of EMQX 4.1: a module with ``init``, ``deinit`` and callbacks named by it, whether it uses ``emqx_extension`` or not."""

import importlib

from hookmq_driver import failures, layouts
from hookmq_driver.terms import NotSimple, simple, state_source, text_of


class BadAnswer(Exception):
    """``init`` returned something that is not what the contract says."""


class Handler:
    ordered = True
    style = "compatible"

    def __init__(self, module):
        self._module = module
        self._calls = []
        self.callbacks = []
        self.warnings = []

    def start(self, send):
        init = getattr(self._module, "init", None)
        if not callable(init):
            raise BadAnswer("%s has no function init()" % self._module.__name__)
        specs, state = _answer(init())
        try:
            fresh = state_source(state)
        except NotSimple as error:
            raise BadAnswer(str(error)) from None
        for number, spec in enumerate(specs, 1):
            self._add(number, spec, fresh)

    def handle(self, calls):
        replies = []
        for number, callback, _key, args in calls:
            try:
                result = self._calls[callback](args)
                replies.append(number if result is None else (number, result))
            except BaseException as error:  # sys.exit() in a callback is a failure of that call, and no more
                replies.append((number,) + failures.describe(error))
        return replies

    def stop(self):
        deinit = getattr(self._module, "deinit", None)
        if callable(deinit):
            deinit()

    def _add(self, number, spec, fresh):
        if not isinstance(spec, (tuple, list)) or len(spec) not in (3, 4):
            raise BadAnswer("hook %d: expected (hook, module, function) or with options, got %s" % (number, _shown(spec)))
        hook, module, function = names = [text_of(one) for one in spec[:3]]
        if None in names:
            raise BadAnswer("hook %d: hook, module and function must be str, got %s" % (number, _shown(spec)))
        topics = _topics(number, hook, spec[3] if len(spec) == 4 else [])
        target = "%s:%s" % (module, function)
        find = _finder(module, function)
        try:
            find()
        except Exception as error:
            self.warnings.append("hook %s: %s cannot be called: %s" % (hook, target, error))
        self.callbacks.append((hook, target, topics, False))
        self._calls.append(_caller(hook, find, fresh))


def _answer(result):
    if isinstance(result, (tuple, list)) and len(result) == 2:
        code, rest = result
        if code == 1 and type(code) is int:
            raise BadAnswer("init() says no: %s" % (text_of(rest) if text_of(rest) is not None else _shown(rest)))
        if code == 0 and type(code) is int and isinstance(rest, (tuple, list)) and len(rest) == 2:
            specs, state = rest
            if isinstance(specs, (list, tuple)):
                return specs, state
    raise BadAnswer("init() returned %s; expected (0, (hooks, state)) or (1, reason)" % _shown(result))


def _topics(number, hook, options):
    """The filters of a hook's options: pairs with the key topics, or a plain list of filters."""
    if options is None:
        options = []
    if not isinstance(options, (list, tuple)):
        raise BadAnswer("hook %d, %s: options must be a list of (key, value), got %s" % (number, hook, _shown(options)))
    filters = []
    for option in options:
        if isinstance(option, (str, bytes)):
            filters.append(option)
        elif isinstance(option, tuple) and len(option) == 2:
            if text_of(option[0]) == "topics":
                values = option[1]
                filters.extend([values] if isinstance(values, (str, bytes)) else values or [])
        else:
            raise BadAnswer("hook %d, %s: an option is %s; expected (key, value)" % (number, hook, _shown(option)))
    texts = [text_of(one) for one in filters]
    if None in texts:
        raise BadAnswer("hook %d, %s: topics must be a list of str or bytes, got %s" % (number, hook, _shown(filters)))
    return texts if hook.startswith("message_") else []


def _finder(module, function):
    """Looks the function up, once it is there: a callback may be made after ``init``."""
    found = None

    def find():
        nonlocal found
        if found is None:
            target = importlib.import_module(module)
            for name in function.split("."):
                target = getattr(target, name)
            if not callable(target):
                raise TypeError("%s:%s is not callable" % (module, function))
            found = target
        return found

    return find


def _caller(hook, find, fresh):
    makers = layouts.makers(hook)
    valued = layouts.is_valued(hook)
    if makers is None:

        def never(args):
            raise LookupError("there is no hook %s" % hook)

        return never

    if len(makers) == 1:
        (make,) = makers

        def call(args):
            result = find()(make(args[0]), fresh())
            return simple(result) if valued else None

        return call

    def call_with_many(args):
        result = find()(*[make(one) for make, one in zip(makers, args)], fresh())
        return simple(result) if valued else None

    return call_with_many


def _shown(value):
    try:
        text = repr(value)
    except Exception:
        text = "a %s" % type(value).__name__
    return text if len(text) <= 200 else text[:200] + " …"
