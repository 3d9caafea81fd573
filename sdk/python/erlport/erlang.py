"""Calls to the broker's own functions. There are none here: each of these says so instead of doing something else."""

__all__ = ["call", "cast", "self", "make_ref", "set_message_handler"]


def _refuse(what):
    raise NotImplementedError(
        "erlport.erlang.%s: the broker has no Erlang functions; publish with an MQTT client, ask the HTTP API" % what
    )


def call(module, function, args, **options):
    _refuse("call")


def cast(destination, message):
    _refuse("cast")


def self():
    _refuse("self")


def make_ref():
    _refuse("make_ref")


def set_message_handler(handler):
    """Kept for files that set one. Nobody sends messages, so it is never called."""
