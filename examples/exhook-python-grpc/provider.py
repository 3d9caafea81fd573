"""An ExHook provider with grpcio alone: keeps strangers out, and stamps what is published below t/."""

import argparse
import atexit
import os
import shutil
import signal
import sys
import tempfile
from concurrent import futures

import grpc
import grpc_tools.protoc

here = os.path.dirname(os.path.abspath(__file__))
protos = os.path.join(here, "..", "..", "sdk", "proto")
# The code for the messages, made anew at each start.
generated = tempfile.mkdtemp()
atexit.register(shutil.rmtree, generated)
file = "emqx/exhook/v3/exhook.proto"
status = grpc_tools.protoc.main(
    ["protoc", "-I" + protos, "--python_out=" + generated, "--grpc_python_out=" + generated, file]
)
if status != 0:
    sys.exit(status)
sys.path.insert(0, generated)

from emqx.exhook.v3 import exhook_pb2 as pb  # noqa: E402
from emqx.exhook.v3 import exhook_pb2_grpc  # noqa: E402


# What the base class answers for the other calls never matters: OnProviderLoaded does not ask for them.
class Provider(exhook_pb2_grpc.HookProviderServicer):
    def OnProviderLoaded(self, request, context):
        print(f"loaded by {request.broker.sysdescr} {request.broker.version}", flush=True)
        return pb.LoadedResponse(
            hooks=[
                pb.HookSpec(name="client.authenticate"),
                pb.HookSpec(name="client.connected"),
                pb.HookSpec(name="message.publish", topics=["t/#"]),
            ]
        )

    def OnProviderUnloaded(self, request, context):
        return pb.EmptySuccess()

    def OnClientAuthenticate(self, request, context):
        if request.clientinfo.username == "stranger":
            return pb.ValuedResponse(type=pb.ValuedResponse.STOP_AND_RETURN, bool_result=False)
        return pb.ValuedResponse(type=pb.ValuedResponse.IGNORE)  # left to others

    def OnClientConnected(self, request, context):
        print(f"connected: {request.clientinfo.clientid}", flush=True)
        return pb.EmptySuccess()

    def OnMessagePublish(self, request, context):
        message = request.message  # changed in place: QoS and topic must come back as well
        message.payload += b" (seen by Python)"
        return pb.ValuedResponse(type=pb.ValuedResponse.CONTINUE, message=message)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:9000")
    address = parser.parse_args().listen
    # As many threads as calls may be under way at once.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    exhook_pb2_grpc.add_HookProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port(address)
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=5))
    print(f"listening on {address.rpartition(':')[0]}:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
