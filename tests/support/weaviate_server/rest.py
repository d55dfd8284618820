"""The REST interface."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.support.weaviate_server.database import RefusedError

if TYPE_CHECKING:
    from tests.support.weaviate_server.server import WeaviateServer

Answer = tuple[int, Any]


class RestServer(ThreadingHTTPServer):
    """Serves until it is stopped, and then also hangs up on those who are connected."""

    daemon_threads = True

    def __init__(self, port: int, owner: "WeaviateServer") -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.owner = owner
        self.connected: set[Any] = set()


class Handler(BaseHTTPRequestHandler):
    """One request after another of one connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet, or each answer waits 40 ms for an acknowledgement
    server: RestServer

    def setup(self) -> None:
        super().setup()
        self.server.connected.add(self.connection)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        try:
            status, content = self._route(body)
        except RefusedError as error:
            status, content = error.status, {"error": [{"message": str(error)}]}
        payload = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    def _route(self, body: Any) -> Answer:
        address = urlsplit(self.path)
        parts = address.path.strip("/").split("/")[1:]
        if parts[0] == ".well-known":
            return (404, {"code": 404}) if parts[1] == "openid-configuration" else (200, None)
        owner = self.server.owner
        if owner.api_key and self.headers.get("authorization") != f"Bearer {owner.api_key}":
            said = self.headers.get("authorization", "anonymous access not enabled")
            return 401, {"code": 401, "message": f"unauthorized: invalid api key: {said}"}
        routes: dict[str, Callable[[str, list[str], Any], Answer]] = {"schema": self._schema, "aliases": self._aliases}
        if parts[0] in routes:
            return routes[parts[0]](self.command, parts[1:], body if body is not None else parse_qs(address.query))
        owner.happens(parts[0])
        if parts == ["meta"]:
            return 200, {"hostname": "http://[::]:8080", "version": owner.version, "grpcMaxMessageSize": 104858000}
        if parts == ["nodes"]:
            return 200, {"nodes": [{"name": "node1", "status": "HEALTHY", "version": owner.version}]}
        return 404, {"code": 404, "message": f"path {self.path} was not found"}

    def _schema(self, method: str, parts: list[str], body: Any) -> Answer:
        owner, database = self.server.owner, self.server.owner.database
        if method == "POST":
            owner.happens("create collection")
            return 200, database.create(body)
        if method == "DELETE":
            owner.happens("delete collection")
            database.delete(parts[0])
            return 200, None
        if not parts:
            return 200, {"classes": [each.config for each in database.classes.values()]}
        if parts[1:] == ["shards"]:
            database.find(parts[0])
            waiting = owner.queues.pop(0) if owner.queues else 0
            return 200, [{"name": "a1B2c3", "status": "INDEXING" if waiting else "READY", "vectorQueueSize": waiting}]
        return 200, database.find(parts[0]).config

    def _aliases(self, method: str, parts: list[str], body: Any) -> Answer:
        owner, database = self.server.owner, self.server.owner.database
        alias = parts[0] if parts else None
        if method == "GET" and alias is None:
            named = [{"alias": each, "class": name} for each, name in database.aliases.items()]
            return 200, {"aliases": [each for each in named if each["class"] in body.get("class", [each["class"]])]}
        if method == "POST":
            owner.happens("point alias")
            if body["alias"] in database.aliases:
                raise RefusedError(f"alias: {body['alias']}: already exists")
            database.point(body["alias"], body["class"])
            return 200, body
        if alias not in database.aliases:
            return 404, None
        if method == "PUT":
            owner.happens("point alias")
            database.point(alias, body["class"])
        if method == "DELETE":
            del database.aliases[alias]
            return 204, None
        return 200, {"alias": alias, "class": database.aliases[alias]}
