"""Which requests reach Dagster: the ASGI guard alone, and under a real server with WebSockets."""

import asyncio
import base64
import re
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
import websockets
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from dagster_project.request_guard import LOOPBACK, RequestGuard

JSON = {"Content-Type": "application/json"}
BASE = "http://127.0.0.1:3000"


async def _answer(request):
    return PlainTextResponse("reached")


async def _echo(websocket):
    await websocket.accept()
    await websocket.send_text("reached")
    await websocket.close()


APP = Starlette(
    routes=[WebSocketRoute("/graphql", _echo), Route("/{path:path}", _answer, methods=["GET", "POST", "PUT", "DELETE"])]
)


def _request(method="GET", path="/", headers=(), *, base=BASE, **options) -> httpx.Response:
    async def send():
        transport = httpx.ASGITransport(RequestGuard(APP, **options))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000", "127.0.0.1"])
def test_guard_loopback_host_passes(host):
    assert _request(headers={"Host": host}).text == "reached"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "", "[", "::1"]
)
def test_guard_other_host_is_refused(host):
    assert _request(headers={"Host": host}).status_code == 403


@given(st.from_regex(r"[a-z0-9.@:\[\]-]{0,20}", fullmatch=True))
def test_guard_passes_no_host_but_loopback(host):
    name = re.sub(r"^.*@|:[0-9]*$", "", host).strip("[]")
    passed = _request(headers={"Host": host}).status_code == 200
    assert name in LOOPBACK or not passed


def test_guard_two_hosts_are_refused():
    assert _request(headers=[("Host", "127.0.0.1"), ("Host", "evil.example")]).status_code == 403


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:8080", "http://localhost:3000", "file://127.0.0.1:3000"],
)
def test_guard_other_origin_is_refused(origin):
    for method in ("GET", "POST"):
        assert _request(method, "/graphql", {"Origin": origin, **JSON}).status_code == 403


def test_guard_post_of_own_page_and_of_programs_passes():
    assert _request("POST", "/graphql", JSON).text == "reached"
    assert _request("POST", "/graphql", {"Origin": BASE, **JSON}).text == "reached"
    assert _request("POST", "/graphql", {"Content-Type": "application/json; charset=utf-8"}).text == "reached"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/catalog"])
def test_guard_form_of_another_site_is_refused(content_type, path):
    """Browsers send these types to other sites without asking; Dagster reads JSON from some of them."""
    assert _request("POST", path, {"Content-Type": content_type}).status_code == 415
    assert _request("POST", path).status_code == 415


def test_guard_graphql_by_get_is_refused_and_its_editor_page_passes():
    query = "/graphql?query=mutation{launchRun}"
    assert _request("GET", query).status_code == 405
    assert _request("GET", query, {"Accept": "application/json"}).status_code == 405
    assert _request("GET", "/graphql", {"Accept": "text/html"}).text == "reached"


def test_guard_host_of_a_proxy_passes_with_its_origin():
    proxied = {"Host": "heddle.example", "Origin": "https://heddle.example", **JSON}
    assert _request("POST", "/graphql", proxied).status_code == 403
    assert _request("POST", "/graphql", proxied, allowed_hosts=["Heddle.example"]).text == "reached"
    rewritten = {**proxied, "Host": "127.0.0.1:3000"}
    assert _request("POST", "/graphql", rewritten, allowed_hosts=["heddle.example"]).text == "reached"


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


def test_guard_token_is_required_where_given():
    secret = "a:colon and ünicode"
    assert _request(headers={"Authorization": _basic(secret)}, token=secret).text == "reached"
    for bad in ("", "Bearer", "Bearer wrong", _basic("wrong"), "Basic ?", "Digest x"):
        refused = _request(headers={"Authorization": bad}, token=secret)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        assert secret not in refused.text
    assert _request(headers={"Authorization": "Bearer plain"}, token="plain").text == "reached"


@contextmanager
def _served(**options):
    server = uvicorn.Server(uvicorn.Config(RequestGuard(APP, **options), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def _websocket(port: int, **headers) -> str:
    async def connect():
        address = f"ws://127.0.0.1:{port}/graphql"
        async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
            return await socket.recv()

    return asyncio.run(connect())


def test_guard_websocket_is_opened_for_own_pages_only():
    with _served() as port:
        assert _websocket(port) == "reached"
        assert _websocket(port, Origin=f"http://127.0.0.1:{port}") == "reached"
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            with pytest.raises(websockets.InvalidStatus, match="403"):
                _websocket(port, **headers)


def test_guard_websocket_needs_the_token():
    with _served(token="secret") as port:
        assert _websocket(port, Authorization="Bearer secret") == "reached"
        with pytest.raises(websockets.InvalidStatus, match="403"):
            _websocket(port)
