"""``python -m hookmq serve hooks.py`` and ``python -m hookmq check hooks.py``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from typing import Any, List, Optional

from ._load import load_app
from .app import App
from .errors import HookError


def main(arguments: Optional[List[str]] = None) -> int:
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    logging.basicConfig(
        level=getattr(logging, getattr(options, "log_level", "info").upper()),
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    try:
        app = load_app(options.hooks)
        if options.command == "check":
            print(_summary(app))
            return 0
        return asyncio.run(_serve(app, options))
    except HookError as error:
        print(f"hookmq: {error}", file=sys.stderr)
    except OSError as error:
        print(f"hookmq: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hookmq", description="Hooks for the HookMQ broker.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    serve = commands.add_parser("serve", help="serve a hooks file as an ExHook provider")
    serve.add_argument("hooks", metavar="HOOKS", help="hooks.py, hooks.py:app or package.module:app")
    serve.add_argument("--listen", default="127.0.0.1:9000", metavar="HOST:PORT", help="default: %(default)s")
    serve.add_argument(
        "--threads",
        type=_count,
        default=4,
        metavar="N",
        help="threads for plain handlers; 0: on the event loop, for handlers that never wait (default: %(default)s)",
    )
    serve.add_argument(
        "--grace",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="to finish in when asked to stop (default: %(default)s)",
    )
    serve.add_argument("--tls-cert", metavar="FILE", help="certificate chain, PEM")
    serve.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")
    serve.add_argument("--tls-client-ca", metavar="FILE", help="brokers must show a certificate from one of these")
    serve.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    check = commands.add_parser("check", help="load a hooks file and list its hooks")
    check.add_argument("hooks", metavar="HOOKS")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 256:
        raise argparse.ArgumentTypeError("expected 0 to 256")
    return number


def _summary(app: App) -> str:
    lines = []
    for hook in app.hooks:
        topics = " [{}]".format(", ".join(hook.topics)) if hook.topics else ""
        lines.append("{}{} -> {}{}".format(hook.point.name, topics, hook.where, " (async)" if hook.is_async else ""))
    return "\n".join(lines) or "no hooks"


async def _serve(app: App, options: Any) -> int:
    try:
        import google.protobuf
        import grpc
    except ImportError as error:
        raise HookError(
            f"serving needs grpcio and protobuf ({error.name} is missing): pip install 'hookmq[exhook]'"
        ) from None
    version = google.protobuf.__version__
    if tuple(map(int, version.split(".")[:2])) < (4, 25):  # Older ones crash on messages that are made at run time.
        raise HookError(f"serving needs protobuf 4.25 or newer, this is {version}: pip install -U protobuf")
    from ._exhook.server import Server

    credentials = None
    if options.tls_cert or options.tls_key:
        if not (options.tls_cert and options.tls_key):
            raise HookError("--tls-cert and --tls-key go together")
        ca = _read(options.tls_client_ca) if options.tls_client_ca else None
        pair = [(_read(options.tls_key), _read(options.tls_cert))]
        credentials = grpc.ssl_server_credentials(pair, root_certificates=ca, require_client_auth=ca is not None)
    server = Server(app, threads=options.threads)
    port = await server.start(options.listen, credentials)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    host = options.listen.rpartition(":")[0]
    print(_summary(app))
    print(f"listening on {host}:{port}")
    await stopped.wait()
    print("stopping")
    await server.stop(options.grace)
    return 0


def _read(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


if __name__ == "__main__":
    sys.exit(main())
