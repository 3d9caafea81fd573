"""ExHook: the same hooks over gRPC. Needs grpcio and protobuf: ``pip install 'hookmq[exhook]'``."""
