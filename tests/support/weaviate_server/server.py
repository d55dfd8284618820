"""Both interfaces together."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from weaviate.proto.v1 import weaviate_pb2_grpc

from tests.support.weaviate_server.database import Database
from tests.support.weaviate_server.rest import RestServer
from tests.support.weaviate_server.service import Service


class WeaviateServer:
    """Use it as a context. Stopped and started again, it holds what it held, at the same ports.

    Args:
        version: what it says it is.
        api_key: what it asks for, if anything.

    Attributes:
        database: what it holds.
        port: of REST.
        grpc_port: of gRPC.
        before: operation -> what runs before it: `meta`, `create collection`, `delete collection`, `point alias`,
            `batch`, `search`, `aggregate`.
        refuse: an object's properties -> why it is not taken, or None.
        queues: lengths of the queue of vectors that are yet to be indexed, one for each time that somebody asks.
    """

    def __init__(self, version: str = "1.34.0", api_key: str | None = None) -> None:
        self.version = version
        self.api_key = api_key
        self.database = Database()
        self.port = self.grpc_port = 0
        self.before: dict[str, Callable[[], None]] = {}
        self.refuse: Callable[[dict[str, Any]], str | None] = lambda properties: None
        self.queues: list[int] = []
        self._stopped: threading.Event | None = None

    def happens(self, operation: str) -> None:
        """Run what a test put before an operation."""
        self.before.get(operation, lambda: None)()

    def start(self) -> None:
        """Listen."""
        if self._stopped:
            self._stopped.wait()  # until the ports are free
        self._rest = RestServer(self.port, self)
        self.port = self._rest.server_address[1]
        threading.Thread(target=self._rest.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self._grpc = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        weaviate_pb2_grpc.add_WeaviateServicer_to_server(Service(self), self._grpc)
        checks = health.HealthServicer()
        checks.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(checks, self._grpc)
        self.grpc_port = self._grpc.add_insecure_port(f"127.0.0.1:{self.grpc_port}")
        self._grpc.start()

    def stop(self) -> None:
        """Hang up on everybody, in the middle of whatever they do."""
        self._rest.shutdown()
        self._rest.server_close()
        for connection in list(self._rest.connected):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._stopped = self._grpc.stop(grace=0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
