"""WordPress's own test content: every kind of block, galleries, shortcodes, long titles, passwords, many terms."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.wordpress import Site, wordpress_site
from tests.support.wordpress.crawling import AS_OWNER, crawl
from tests.support.wordpress.exports import import_posts, posts
from tests.support.wordpress_site import rows

EXPORTS = Path(__file__).parents[4] / "shared/data/wordpress"
AVATAR = re.compile(r"<img[^>]+avatar[^>]+>")
pytestmark = [
    pytest.mark.skipif(not EXPORTS.is_dir(), reason="../shared/data/wordpress is not on this machine"),
    pytest.mark.xdist_group("wordpress_exports"),
]


@pytest.fixture(scope="module")
def imported() -> Iterator[tuple[Site, list[dict[str, Any]]]]:
    with wordpress_site() as site:
        yield site, import_posts(site, [post for file in sorted(EXPORTS.glob("*.xml")) for post in posts(file)])


@pytest.fixture(scope="module", params=["main", "all"])
def crawled(
    request: pytest.FixtureRequest,
    imported: tuple[Site, list[dict[str, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    crawl(folder, imported[0], f"images: {request.param}", "statuses: [publish, draft, future]", *AS_OWNER)
    return folder


def native(row: dict[str, Any]) -> str:
    """The id of the post that a row is of."""
    return str(row["id"]).removeprefix("shop:").partition("-")[0]


def test_no_post_is_lost(imported: tuple[Site, list[dict[str, Any]]], crawled: Path) -> None:
    written = {str(post["id"]): post for post in imported[1]}
    assert len(written) > 90
    accounted = {native(row) for table in ("listings", "duplicates", "quarantine") for row in rows(crawled, table)}
    assert accounted == written.keys()
    refused = {native(row): row["reason"] for row in rows(crawled, "quarantine")}
    assert {id_ for id_, reason in refused.items() if reason == "password_protected"} == {
        id_ for id_, post in written.items() if post["content"]["protected"]
    }
    without = {id_ for id_, reason in refused.items() if reason == "no_image"}
    assert all("<img" not in AVATAR.sub("", written[id_]["content"]["rendered"]) for id_ in without)
    assert set(refused.values()) == {"no_image", "password_protected"}


def test_words_are_words(crawled: Path) -> None:
    for row in rows(crawled, "listings"):
        for text in (row["title"], row["description"]):
            assert not re.search(r"<!-- |\[/?[a-z_-]+ [a-z]+=|\[/|&[a-z]+;|&#\d", text or ""), text
        assert "<!-- wp:" not in (row["body"] or "")


def test_every_term_is_there(imported: tuple[Site, list[dict[str, Any]]], crawled: Path) -> None:
    written = {str(post["id"]): post for post in imported[1]}
    for row in rows(crawled, "listings"):
        post = written[native(row)]
        assert (len(row["categories"]), len(row["tags"])) == (len(post["categories"]), len(post["tags"]))
