"""The gRPC server: HookProvider of emqx.exhook.v2 and v3, HookStream, and the standard health service."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, Optional, Set

import grpc
import grpc.aio

from .._plan import HandlerFailed, Plan
from .._runner import Runner, log
from ..app import App
from ..points import POINTS
from . import protos
from .answers import FILL
from .convert import broker_of, event_maker
from .stream import Exchange
from .workers import Workers

_OPTIONS = [
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    # Brokers ping idle connections, some of them often: no reason to hang up on them.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.http2.max_ping_strikes", 0),
    # Two servers on one port would each get half of the calls: rather fail.
    ("grpc.so_reuseport", 0),
]

_SERVING = b"\x08\x01"
_NOT_SERVING = b"\x08\x02"


class Server:
    """Serves one App until ``stop``. All of it happens on one event loop; plain handlers run on ``threads`` threads."""

    def __init__(self, app: App, *, threads: int = 4) -> None:
        self._runner = Runner(app, asyncio.get_running_loop())
        self._workers = Workers(self._runner, threads)
        self._pool = ThreadPoolExecutor(threads, "hookmq-unary") if threads > 0 else None
        self._exchanges: Set[Exchange] = set()
        self._loaded = False
        self._serving = asyncio.Event()
        self._changed = asyncio.Event()
        self._server = grpc.aio.server(options=_OPTIONS)
        services = {"hookmq.exhook.v1.HookStream": {"Exchange": grpc.stream_stream_rpc_method_handler(self._exchange)}}
        for version in ("v2", "v3"):
            services[f"emqx.exhook.{version}.HookProvider"] = self._unary(version)
        self._names = set(services) | {""}
        services["grpc.health.v1.Health"] = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }
        self._server.add_generic_rpc_handlers(
            tuple(grpc.method_handlers_generic_handler(name, methods) for name, methods in services.items())
        )

    async def start(self, address: str, credentials: Any = None) -> int:
        """Listens on ``HOST:PORT``; returns the port. Raises OSError when it cannot."""
        try:
            if credentials is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: {error}") from None
        if port == 0:
            raise OSError(f"cannot listen on {address}")
        await self._server.start()
        self._set_serving(True)
        return int(port)

    async def stop(self, grace: float = 5.0) -> None:
        """Takes nothing new, finishes what has been taken, for at most ``grace`` seconds, and runs on_unload."""
        self._set_serving(False)
        for exchange in list(self._exchanges):
            exchange.close()
        await self._server.stop(grace)
        self._workers.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=False)
        if self._loaded:
            self._loaded = False
            await self._runner.unload()

    def _set_serving(self, serving: bool) -> None:
        if serving:
            self._serving.set()
        else:
            self._serving.clear()
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    def _unary(self, version: str) -> Dict[str, Any]:
        package = f"emqx.exhook.{version}."
        valued_response = protos.message_class(package + "ValuedResponse")
        methods: Dict[str, Any] = {}
        for hook, (name, request) in protos.hook_classes(version).items():
            plan = self._runner.plans.get(hook)
            point = POINTS[hook]
            fill = FILL.get(point.kind)
            nothing = valued_response(type=1).SerializeToString() if point.valued else b""
            if plan is None:
                methods[name] = _constant(nothing)
                continue
            methods[name] = self._method(plan, request, event_maker(hook, point.event), fill, valued_response, nothing)
        loaded_request = protos.message_class(package + "ProviderLoadedRequest")
        answer = protos.message_class(package + "LoadedResponse")()
        for hook, topics in self._runner.app._wanted():
            answer.hooks.add(name=hook, topics=topics)
        hooks: bytes = answer.SerializeToString()

        wants_all = any(plan.point.has_topics for plan in self._runner.plans.values())

        async def loaded(raw: bytes, context: Any) -> bytes:
            broker = broker_of(loaded_request.FromString(raw))
            try:
                await self._runner.load(broker)
            except Exception as error:
                log.exception("on_load failed")
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"on_load: {type(error).__name__}: {error}")
            self._loaded = True
            if wants_all:
                # A broker that knows this sends the retain flag and the properties of messages, and takes them back.
                await context.send_initial_metadata((("hookmq-messages", "full"),))
            log.info("loaded by %s %s, node %s", broker.description, broker.version, broker.node)
            return hooks

        async def unloaded(raw: bytes, context: Any) -> bytes:
            log.info("unloaded")
            if self._loaded:
                self._loaded = False
                await self._runner.unload()
            return b""

        methods["OnProviderLoaded"] = grpc.unary_unary_rpc_method_handler(loaded)
        methods["OnProviderUnloaded"] = grpc.unary_unary_rpc_method_handler(unloaded)
        return methods

    def _method(
        self, plan: Plan, request_class: Any, make: Callable[[Any], Any], fill: Any, response_class: Any, nothing: bytes
    ) -> Any:
        runner = self._runner
        loop = asyncio.get_running_loop()
        pool = self._pool

        async def call(raw: bytes, context: Any) -> bytes:
            request = request_class.FromString(raw)
            event = make(request)
            try:
                if plan.is_async:
                    decision = await runner.decide_async(plan, event)
                elif pool is None:
                    decision = runner.decide(plan, event)
                else:
                    decision = await loop.run_in_executor(pool, runner.decide, plan, event)
            except HandlerFailed as failure:
                await context.abort(grpc.StatusCode.UNKNOWN, str(failure)[:2000])
                raise
            if decision is None:
                return nothing
            response = response_class()
            fill(response, decision, request)
            return bytes(response.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(call)

    async def _exchange(self, frames: Any, context: Any) -> None:
        exchange = Exchange(self._runner, self._workers, context)
        self._exchanges.add(exchange)
        try:
            await exchange.run(frames)
        finally:
            self._exchanges.discard(exchange)

    async def _check(self, raw: bytes, context: Any) -> bytes:
        if _service_of(raw) not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return _SERVING if self._serving.is_set() else _NOT_SERVING

    async def _watch(self, raw: bytes, context: Any) -> None:
        while True:
            changed = self._changed
            await context.write(_SERVING if self._serving.is_set() else _NOT_SERVING)
            if not self._serving.is_set():
                return
            await changed.wait()


def _constant(answer: bytes) -> Any:
    async def call(raw: bytes, context: Any) -> bytes:
        return answer

    return grpc.unary_unary_rpc_method_handler(call)


def _service_of(raw: bytes) -> Optional[str]:
    """HealthCheckRequest: field 1 is the name of a service."""
    if not raw:
        return ""
    if raw[0] == 0x0A and len(raw) >= 2 and len(raw) == raw[1] + 2:
        return raw[2:].decode("utf-8", "replace")
    return None


__all__: List[str] = ["Server"]
