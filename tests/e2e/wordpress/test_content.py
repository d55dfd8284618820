"""Posts as people write them in a real WordPress: drafts, passwords, galleries, blocks, shortcodes, entities."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.wordpress import Site, wordpress_site
from tests.support.wordpress.crawling import AS_OWNER, crawl, source
from tests.support.wordpress_site import image, rows, run

pytestmark = pytest.mark.xdist_group("wordpress_content")
Posts = dict[str, int]


def upload(site: Site, number: int, **told: str) -> dict[str, Any]:
    return dict(site.api("POST", "media", image(number), filename=f"p{number}.png", **told))


def block(media: dict[str, Any], source_url: str | None = None, alt: str = "") -> str:
    number, address = media["id"], source_url or media["source_url"]
    return (
        f'<!-- wp:image {{"id":{number}}} --><figure class="wp-block-image"><img src="{address}" alt="{alt}" '
        f'class="wp-image-{number}"/><figcaption class="wp-element-caption">Seen {number}</figcaption></figure>'
        "<!-- /wp:image -->"
    )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with wordpress_site() as running:
        yield running


@pytest.fixture(scope="module")
def images(site: Site) -> list[dict[str, Any]]:
    return [upload(site, n, alt_text=f"image {n}", caption=f"Caption &amp; {n}") for n in range(8)]


@pytest.fixture(scope="module")
def posts(site: Site, images: list[dict[str, Any]]) -> Posts:
    """Name -> id of what stands in the site."""
    a, b, c, d, e, f, g, h = images
    smaller = b["source_url"].replace(".png", "-150x150.png")
    tags = [site.api("POST", "tags", {"name": f"tag {number:02d} &amp; so"})["id"] for number in range(14)]
    written: dict[str, dict[str, Any]] = {
        "featured": {
            "title": "Tom &amp; Jerry&#8217;s &lt;b&gt;old&lt;/b&gt; chair",
            "content": f"{block(a)}{block(b, smaller, 'by the post')}<p>Words</p>",
            "featured_media": a["id"],
            "tags": tags,
        },
        "inline": {"title": "Inline", "content": f"<p>One</p>{block(c, alt='told here')}{block(d)}"},
        "gallery": {"title": "Classic", "content": f'A gallery. [gallery ids="{e["id"]},{f["id"]}" size="full"]'},
        "plain": {"title": "By hand", "content": f'<p>No id <img src="{g["source_url"]}" alt="g"></p>'},
        "shortcodes": {
            "title": "Shortcodes",
            "content": (
                f'<img src="{h["source_url"]}"> [vc_row el="x"]Kept [price_tag id="3" /][/vc_row] and [sic] '
                '[contact form="7"] [b]bold[/b] end.'
            ),
        },
        "none": {"title": "No image", "content": "<p>Words alone</p>"},
        "secret": {"title": "Secret", "content": "hidden words", "password": "x", "featured_media": a["id"]},
        "draft": {"title": "A draft", "content": block(a), "status": "draft", "featured_media": b["id"]},
        "private": {"title": "Mine", "content": "own", "status": "private", "featured_media": c["id"]},
    }
    return {name: site.api("POST", "posts", {"status": "publish"} | post)["id"] for name, post in written.items()}


@pytest.fixture(scope="module")
def public(site: Site, posts: Posts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    crawl(folder, site)
    return folder


def by_name(folder: Path, posts: Posts, table: str = "listings") -> dict[str, dict[str, Any]]:
    found = {row["id"].removeprefix("shop:"): row for row in rows(folder, table)}
    names = {str(number): name for name, number in posts.items()}
    return {names.get(native, native): row for native, row in found.items()}


def test_public_posts_are_taken_and_a_protected_one_is_kept_with_its_reason(public: Path, posts: Posts) -> None:
    assert by_name(public, posts).keys() == {"featured", "inline", "gallery", "plain", "shortcodes"}
    refused = by_name(public, posts, "quarantine")
    assert {name: row["reason"] for name, row in refused.items()} == {
        "none": "no_image",
        "secret": "password_protected",
    }
    assert "hidden words" not in str(refused)


def test_without_a_featured_image_the_first_of_the_content_is_taken(
    public: Path, posts: Posts, images: list[dict[str, Any]]
) -> None:
    stored = {row["sha256"] for row in rows(public, "images")}
    listings = by_name(public, posts)
    assert all(row["image"] in stored for row in listings.values())
    told = {name: (listings[name]["alt_text"], listings[name]["caption"]) for name in listings}
    assert told == {
        "featured": ("image 0", "Caption & 0"),
        "inline": ("told here", f"Seen {images[2]['id']}"),
        "gallery": ("image 4", "Caption & 4"),
        "plain": ("g", None),
        "shortcodes": (None, None),
    }


def test_entities_shortcodes_and_all_terms(public: Path, posts: Posts) -> None:
    listings = by_name(public, posts)
    assert listings["featured"]["title"] == "Tom & Jerry\u2019s <b>old</b> chair"
    assert listings["featured"]["tags"] == [f"tag {number:02d} & so" for number in range(14)]
    assert listings["shortcodes"]["description"] == "Kept and [sic] bold end."
    assert listings["gallery"]["description"] == "A gallery."


def test_each_further_image_is_a_listing_of_its_own(
    site: Site, posts: Posts, images: list[dict[str, Any]], public: Path, tmp_path: Path
) -> None:
    crawl(tmp_path, site, "images: all")
    listings = by_name(tmp_path, posts)
    further = {
        f"{posts['featured']}-{images[1]['id']}",
        f"{posts['inline']}-{images[3]['id']}",
        f"{posts['gallery']}-{hashlib.sha256(images[5]['source_url'].encode()).hexdigest()[:12]}",
    }
    assert listings.keys() == by_name(public, posts).keys() | further
    second = listings[f"{posts['featured']}-{images[1]['id']}"]
    assert (second["alt_text"], second["url"]) == ("by the post", listings["featured"]["url"])
    sha256 = {row["id"]: row["image"] for row in rows(tmp_path, "listings")}
    assert len(set(sha256.values())) == 8


def test_drafts_are_for_those_who_may_edit_them(site: Site, posts: Posts, tmp_path: Path) -> None:
    crawl(tmp_path, site, "statuses: [publish, draft, private]", *AS_OWNER)
    taken = by_name(tmp_path, posts).keys() | by_name(tmp_path, posts, "duplicates").keys()
    assert {"draft", "private"} <= taken
    stranger = source(site, "statuses: [publish, draft]", *AS_OWNER)
    done = run(tmp_path, stranger, SITE_PASSWORD="wrong")
    assert done.returncode == 1
    assert "Set `username` and `application_password_env`" in done.stderr


def test_the_record_of_a_refused_post_is_whole(public: Path, posts: Posts) -> None:
    record = json.loads(by_name(public, posts, "quarantine")["none"]["record"])
    assert record["content"]["rendered"].strip() == "<p>Words alone</p>"
