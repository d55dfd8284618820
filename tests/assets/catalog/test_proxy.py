"""Images fetched through a proxy."""

import base64
from pathlib import Path

from assets.catalog.images import ImageInfo
from tests.support.image_fetch import crawl_job, fetch
from tests.support.wordpress_site import FakeSite


def test_a_proxy_is_told_its_own_password_and_asked_for_names(site: FakeSite, tmp_path: Path) -> None:
    host = site.url.removeprefix("http://")
    job = crawl_job(proxy=f"http://some%40body:pass%3Aword@{host}", private_addresses=False)
    urls = ["http://far.invalid/images/1", "https://far.invalid/images/2"]
    found = fetch(tmp_path, [(job, urls)])
    assert isinstance(found[urls[0]], ImageInfo)
    assert "the proxy returned 501" in str(found[urls[1]])  # this one makes no tunnels
    asked = {path: headers for path, headers, _ in site.requests}
    assert {"http://far.invalid/robots.txt", "http://far.invalid/images/1"} == asked.keys()
    password = base64.b64encode(b"some@body:pass:word").decode()
    assert all(headers["Proxy-Authorization"] == f"Basic {password}" for headers in asked.values())
