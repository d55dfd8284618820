"""A source's token changes when, and only when, the source has something newer."""

import os
import re
import socket
from pathlib import Path

from assets.catalog.change_detection import compute_change_tokens
from demo_shop import Shop
from demo_shop.server import serve
from tests.support import wordpress_site

NEAR = "private_addresses: true"


def _project(root: Path, source: str) -> Path:
    (root / "scales").mkdir(exist_ok=True)
    (root / "scales/small.yaml").write_text("demo_shop: {listings: 48, guides: 8}\n")
    lines = f"scale: small\nseed: 1\ncatalog:\n  sources:\n    - {source}\n  image_megabytes: 8\n"
    (root / "params.yaml").write_text(lines)
    return root


def _always(address):
    """A resolver that knows one address."""
    return lambda host, port, *arguments, **named: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_a_table_has_news_when_its_file_changes(tmp_path):
    project = _project(tmp_path, "{name: mine, kind: table, path: mine.csv, columns: {id: id, image: image}}")
    (tmp_path / "mine.csv").write_text("id,image\n1,a.jpg\n")
    first = compute_change_tokens(project).tokens
    assert compute_change_tokens(project).tokens == first
    (tmp_path / "mine.csv").write_text("id,image\n1,a.jpg\n2,b.jpg\n")
    assert compute_change_tokens(project).tokens != first


def test_a_table_that_is_not_there_is_named(tmp_path):
    project = _project(tmp_path, "{name: mine, kind: table, path: mine.csv, columns: {id: id, image: image}}")
    (failure,) = compute_change_tokens(project).failures.values()
    assert re.search(r"source mine: .*mine\.csv does not exist", failure)


def test_a_wordpress_site_is_asked_for_its_newest_post(tmp_path):
    tokens = []
    for listings in (48, 48, 60):
        with serve(Shop(seed=3, listings=listings, guides=8)) as port:
            source = (
                f'{{name: shop, kind: wordpress, url: "http://127.0.0.1:{port}", contact: me@shop.example, {NEAR}}}'
            )
            tokens.append(compute_change_tokens(_project(tmp_path, source)).tokens)
    assert tokens[0] == tokens[1] != tokens[2]


def test_probe_unreachable_site_error_names_request(tmp_path):
    project = _project(
        tmp_path,
        '{name: shop, kind: wordpress, url: "http://127.0.0.1:9", contact: me@shop.example, private_addresses: true}',
    )
    (failure,) = compute_change_tokens(project).failures.values()
    assert re.search(r"source shop: request to .* failed", failure)


def test_the_demo_shop_has_news_when_it_grows(tmp_path):
    project = _project(tmp_path, "{name: demo_shop, kind: demo}")
    first = compute_change_tokens(project).tokens
    assert compute_change_tokens(project).tokens == first
    (tmp_path / "scales/small.yaml").write_text("demo_shop: {listings: 49, guides: 8}\n")
    assert compute_change_tokens(project).tokens != first


def test_a_sitemap_and_a_tar_far_away_have_news_when_they_change(tmp_path):
    site = wordpress_site.FakeSite()
    content = [b"<urlset/>"]
    site.answers["/map.xml"] = site.answers["/a.tar"] = lambda times: (200, {}, content[0])
    tokens = []
    try:
        for source in ("kind: sitemap, url: 'URL/map.xml'", "kind: webdataset, tars: ['URL/map.xml']"):
            source_yaml = f"{{name: far, contact: a@b.test, {NEAR}, {source.replace('URL', site.url)}}}"
            for content[0] in (b"<urlset/>", b"<urlset/>", b"<urlset><url/></urlset>"):
                tokens.append(compute_change_tokens(_project(tmp_path, source_yaml)).tokens)
    finally:
        site.close()
    for first, second, third in (tokens[:3], tokens[3:]):
        assert first == second != third
    (failure,) = compute_change_tokens(tmp_path).failures.values()
    assert re.search(r"source far: .*request to .* failed", failure)


def test_probe_private_address_refused_unless_allowed(tmp_path, monkeypatch):
    site = wordpress_site.FakeSite()
    site.answers["/map.xml"] = lambda times: (200, {}, b"<urlset/>")
    monkeypatch.setattr(socket, "getaddrinfo", _always("127.0.0.1"))
    try:
        for host in ("127.0.0.1", "2130706433", "shop.example"):  # by itself, spelled otherwise, by a name
            url = f"http://{host}:{site.url.rpartition(':')[2]}/map.xml"
            source = f"{{name: far, kind: sitemap, url: '{url}', contact: a@b.test}}"
            (failure,) = compute_change_tokens(_project(tmp_path, source)).failures.values()
            assert re.search(r"source far: .*loopback; set `private_addresses: true`", failure)
        assert not site.requests
    finally:
        site.close()


def test_credentials_are_not_sent_to_redirected_host(tmp_path, monkeypatch):
    site, other = wordpress_site.FakeSite(), wordpress_site.FakeSite()
    path = "/wp-json/wp/v2/posts"
    target = f"{other.url.replace('127.0.0.1', 'localhost')}/posts"
    site.answers[path] = lambda times: (302, {"Location": target}, b"")
    other.answers["/posts"] = lambda times: (200, {}, b"[]")
    monkeypatch.setenv("PASSWORD", "secret")
    options = f"name: shop, kind: wordpress, url: '{site.url}', contact: a@b.test, {NEAR}"
    try:
        compute_change_tokens(_project(tmp_path, f"{{{options}, username: me, application_password_env: PASSWORD}}"))
        (asked,), (redirected,) = site.requests, other.requests
    finally:
        site.close()
        other.close()
    assert "Authorization" in asked[1]
    assert "Authorization" not in redirected[1]


def test_a_source_that_is_down_hides_no_other_one(tmp_path):
    down = "{name: far, kind: sitemap, url: 'http://127.0.0.1:9/map.xml', contact: a@b.test, private_addresses: true}"
    _project(tmp_path, f"{down}\n    - {{name: mine, kind: table, path: mine.csv, columns: {{id: id, image: image}}}}")
    tokens = []
    for rows in ("1,a.jpg\n", "1,a.jpg\n", "1,a.jpg\n2,b.jpg\n"):
        (tmp_path / "mine.csv").write_text(f"id,image\n{rows}")
        os.utime(tmp_path / "mine.csv", (0, 0))  # equal times: only the size differs
        found = compute_change_tokens(tmp_path)
        assert (set(found.tokens), set(found.failures)) == ({"mine"}, {"far"})
        tokens.append(found.tokens["mine"])
    assert tokens[0] == tokens[1] != tokens[2]
