"""The shop over a real socket: paging, validators, proxying, faults, an end with its parent."""

import io
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from demo_shop import Shop, wordpress

POSTS, GUIDES = "/wp-json/wp/v2/posts", "/wp-json/wp/v2/guides"
TABLES = ("queries", "qrels", "conversations", "preferences", "nodes", "edges")
ADDRESSES = (
    "/", "/robots.txt", "/sitemap.xml", "/sitemap-listings.xml", "/wp-json/", f"{POSTS}?per_page=3&_embed", GUIDES,
    f"{POSTS}/100005", "/wp-json/wp/v2/media?per_page=2", "/wp-json/wp/v2/categories", "/wp-json/wp/v2/tags",
    "/wp-json/demo-shop/v1/edges?per_page=7", "/shop/find-100005/", "/guides/guide-900003/",
)  # fmt: skip


def posts(client: httpx.Client) -> list[dict]:
    return client.get(POSTS, params={"per_page": 100, "_embed": "", "orderby": "id", "order": "asc"}).json()


def image(client: httpx.Client, post: dict) -> httpx.Response:
    return client.get(post["_embedded"]["wp:featuredmedia"][0]["source_url"])


def faulty(shop: Shop, kind: str) -> str:
    return next(fault.id for fault in shop.faults if fault.kind == kind)


def post_with(client: httpx.Client, shop: Shop, kind: str) -> dict:
    return client.get(f"{POSTS}/{faulty(shop, kind)}", params={"_embed": ""}).json()


@given(per_page=st.integers(1, 100))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_together_are_the_whole(client: httpx.Client, shop: Shop, per_page: int) -> None:
    for path, total in ((POSTS, shop.size), (GUIDES, shop.guide_count)):
        ids: list[int] = []
        address: str | None = f"{path}?per_page={per_page}&orderby=id&order=asc"
        while address:
            reply = client.get(address)
            assert int(reply.headers["X-WP-Total"]) == total
            assert int(reply.headers["X-WP-TotalPages"]) == math.ceil(total / per_page)
            ids += [entry["id"] for entry in reply.json()]
            following = re.search(r'<([^>]*)>; rel="next"', reply.headers.get("Link", ""))
            address = following[1] if following else None
        assert ids == sorted(set(ids))
        assert len(ids) == total


def test_tables_are_served_whole(client: httpx.Client, shop: Shop) -> None:
    expected = {"nodes": len(shop.graph.nodes), "edges": len(shop.graph.edges) + 2}
    for name in TABLES:
        count = expected.get(name) or len(getattr(shop, name))
        rows = []
        for page in range(1, math.ceil(count / 100) + 1):
            rows += client.get(f"/wp-json/demo-shop/v1/{name}", params={"per_page": 100, "page": page}).json()
        assert len(rows) == count


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("per_page=10&page=11", "rest_post_invalid_page_number"),
        ("per_page=101", "rest_invalid_param"),
        ("page=0", "rest_invalid_param"),
        ("page=two", "rest_invalid_param"),
        ("orderby=colour", "rest_invalid_param"),
        ("modified_after=yesterday", "rest_invalid_param"),
    ],
)
def test_nonsense_is_answered_as_wordpress_does(client: httpx.Client, query: str, code: str) -> None:
    reply = client.get(f"{POSTS}?{query}")
    assert reply.status_code == 400
    assert reply.json()["code"] == code


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_known_is_not_sent_again(client: httpx.Client, address: str) -> None:
    first = client.get(address)
    assert first.status_code == 200
    assert first.headers["Last-Modified"].endswith("GMT")
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(address, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_absolute_form_and_origin_form_are_answered_alike(port: int) -> None:
    def ask(target: str) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            request = f"GET {target} HTTP/1.1\r\nHost: demo-shop.example\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            with connection.makefile("rb") as reply:
                return reply.read().partition(b"\r\n\r\n")[2]

    for path in ("/wp-json/", f"{POSTS}?per_page=2&page=3", "/robots.txt"):
        assert ask(f"http://demo-shop.example{path}") == ask(path) != b""


def test_no_address_holds_the_port(client: httpx.Client, port: int) -> None:
    for address in ADDRESSES:
        assert f":{port}" not in client.get(address).text


def test_only_later_changes_are_listed_on_request(client: httpx.Client, shop: Shop) -> None:
    moments = sorted(wordpress.dates(shop, number)[1] for number in range(shop.size))
    after = moments[shop.size // 2]
    reply = client.get(POSTS, params={"modified_after": after.isoformat(), "per_page": 100})
    assert len(reply.json()) == sum(moment > after for moment in moments)
    newest = client.get(POSTS, params={"orderby": "modified", "order": "desc", "per_page": 1}).json()[0]
    assert newest["modified_gmt"] == wordpress.when(moments[-1])


def test_posts_hold_what_the_shop_knows(client: httpx.Client, shop: Shop) -> None:
    labelled = 0
    for number, post in enumerate(posts(client)):
        listing = shop.listing(number)
        assert str(post["id"]) == listing.id
        media = post["_embedded"].get("wp:featuredmedia", [{}])[0]
        assert media.get("alt_text", listing.words.alt_text) == listing.words.alt_text
        assert post["meta"].get("item", listing.facts.item) == listing.facts.item
        labelled += "item" in post["meta"]
        names = {term["name"] for term in post["_embedded"]["wp:term"][1]}
        assert names == set(listing.words.tags)
    assert 0.9 * shop.size < labelled < shop.size + 1


def test_clean_images_are_the_originals(client: httpx.Client, shop: Shop) -> None:
    for number, post in enumerate(posts(client)):
        fault = shop.listing_faults.get(number)
        if fault is None:
            reply = image(client, post)
            assert reply.content == shop.image(number)
            assert reply.headers["Content-Type"] == shop.listing(number).image.mime_type


def test_image_faults(client: httpx.Client, shop: Shop) -> None:
    assert image(client, post_with(client, shop, "image missing")).status_code == 404
    half = image(client, post_with(client, shop, "image truncated"))
    with pytest.raises(OSError, match=r"truncated|incomplete|decod|identify"):
        Image.open(io.BytesIO(half.content)).load()
    page = image(client, post_with(client, shop, "image is a web page"))
    assert page.headers["Content-Type"] == "image/jpeg"
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(page.content))
    large = image(client, post_with(client, shop, "image too large"))
    assert int(large.headers["Content-Length"]) > 10 * 1024 * 1024
    assert Image.open(io.BytesIO(large.content)).size == (1900, 1900)
    moved = image(client, post_with(client, shop, "image moved"))
    assert moved.status_code == 301
    assert client.get(moved.headers["Location"]).status_code == 200
    assert "wp:featuredmedia" not in post_with(client, shop, "no image")["_embedded"]


def test_busy_image_answers_the_second_time(shop: Shop) -> None:
    from starlette.testclient import TestClient

    from demo_shop.application import Application

    number = int(faulty(shop, "image answers 503 first")) - 100_001
    with TestClient(Application(shop).asgi, base_url=wordpress.HOME) as asking:
        assert [asking.get(wordpress.media_url(shop, number)).status_code for _ in range(3)] == [503, 200, 200]


def test_record_faults(client: httpx.Client, shop: Shop) -> None:
    assert post_with(client, shop, "empty title")["title"]["rendered"] == ""
    assert isinstance(post_with(client, shop, "objects is a string")["meta"]["objects"], str)
    box = post_with(client, shop, "box outside the image")["meta"]["objects"][0]["box"]
    assert any(not 0 <= value <= 1 for value in box)
    meta = post_with(client, shop, "relation to no object")["meta"]
    assert any(relation["object"] >= len(meta["objects"]) for relation in meta["relations"])
    body = post_with(client, shop, "hostile HTML")["content"]["rendered"]
    for hostile in ("<script", "onerror", "<iframe", "javascript:"):
        assert hostile in body
    guide = client.get(f"{GUIDES}?per_page=100").json()[int(faulty(shop, "empty text")) - 900_001]
    assert guide["content"]["rendered"] == ""


def test_people_never_get_hostile_html(client: httpx.Client, shop: Shop) -> None:
    page = client.get(f"/shop/find-{faulty(shop, 'hostile HTML')}/").text
    assert "<script" not in page
    assert "javascript:" not in page


def test_sitemap_lists_every_page_once(client: httpx.Client, shop: Shop) -> None:
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    index = ElementTree.fromstring(client.get("/sitemap.xml").content)
    found = []
    for address in index.findall("s:sitemap/s:loc", space):
        found += ElementTree.fromstring(client.get(address.text or "").content).findall("s:url/s:loc", space)
    pages = [address.text for address in found]
    assert len(set(pages)) == len(pages) == shop.size + shop.guide_count
    assert all(client.get(page or "").status_code == 200 for page in pages[::9])


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/wp-json/nope",
        "/wp-json/wp/v2/users",
        "/shop/find-1/",
        "/shop/other/",
        "/guides/x/",
        "/wp-content/uploads/2024/03/find-9.jpg",
    ],
)
def test_what_is_not_there_is_404(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_server_ends_with_its_parent() -> None:
    program = (
        "import json, time\nfrom demo_shop import Shop\nfrom demo_shop.server import serve\n"
        "with serve(Shop(1, 48, 10)) as port:\n    print(json.dumps(port), flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        port = json.loads(parent.stdout.readline())
        socket.create_connection(("127.0.0.1", port)).close()
        os.kill(parent.pid, signal.SIGKILL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.1)
    pytest.fail("the server outlived its parent")
