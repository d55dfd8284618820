"""What a post tells, and what becomes of its images; no site is asked."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assets.catalog.collector import Collector
from assets.catalog.images import examine_image
from assets.catalog.wordpress_post import _ELLIPSIS, compute_stamp, find_content_images, find_images, strip_shortcodes
from heddle.images.originals import Original
from heddle.sources.parameters import WordPress
from tests.support.wordpress_site import image


def test_an_image_that_two_listings_show_is_wanted_once(tmp_path: Path) -> None:
    collector = Collector(tmp_path, 1e6, 10**6, 1)
    url = "http://shop.test/chair.png"
    (tmp_path / "chair.png").write_bytes(image(1))
    for native in "ab":
        draft = collector.add_listing("shop", native, {}, {}, "page")
        assert draft
        collector.set_image_url(draft, url)
        (shown,) = collector.pending_images("shop").values()
        shown.set_result(examine_image(Original.whole(tmp_path / "chair.png"), 1e6))
    found = {draft.id: found.sha256 for draft, found in collector.finish().listings}
    assert found["shop:a"] == found["shop:b"]


def test_drafts_need_a_password() -> None:
    options = {"kind": "wordpress", "name": "shop", "url": "http://shop.test", "contact": "me@shop.test"}
    with pytest.raises(
        ValidationError, match="statuses other than publish need a user who may edit these posts: set username"
    ):
        WordPress.model_validate(options | {"statuses": ["publish", "draft"]})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('[vc_row el="a &#8221;b&#8221;"]Oak[/vc_row]', " Oak "),
        ("[b]bold[/b] [sic] [1] [&hellip;]", " bold  [sic] [1] [&hellip;]"),
        ("[price_tag][map /][form id=7]", "   "),
        ("An array: a[i] = b[j]", "An array: a[i] = b[j]"),
    ],
)
def test_shortcodes_that_nobody_rendered_go_and_brackets_stay(written: str, read: str) -> None:
    assert strip_shortcodes(written) == read


@given(st.text("[]/abc_= <>&;\"'"))
def test_strip_shortcodes_removes_only_brackets(markup: str) -> None:
    left = strip_shortcodes(markup)
    assert len(left) <= len(markup)
    assert strip_shortcodes(markup.replace("[", "(")) == markup.replace("[", "(")


def test_ellipsis_of_an_excerpt_is_found_in_linear_time() -> None:
    """A pattern that takes quadratic time would need hours here."""
    spaces = " " * 500_000
    assert _ELLIPSIS.sub("…", f"Oak{spaces}[&hellip;]{spaces}</p>\n") == f"Oak…{spaces}</p>\n"
    assert _ELLIPSIS.sub("…", f"Oak{spaces}[&hellip;]{spaces}x") == f"Oak{spaces}[&hellip;]{spaces}x"


def test_images_of_a_post_are_found_once_each_in_their_order() -> None:
    content = (
        '<figure><img class="x wp-image-5" src="/u/a-300x200.jpg" srcset="/u/a-300x200.jpg 300w, /u/a.jpg 900w">'
        "<figcaption>An <b>oak</b> chair</figcaption></figure>"
        '<img src="data:image/gif;base64,R0" data-src="/u/b.png" alt="b"><img src="/u/b-150x150.png">'
        '<img class="emoji" src="/e.png"><img class="avatar" src="/me.png"><img src="javascript:x"><img><img src="//[">'
    )
    post = {"link": "http://shop.test/1/", "content": {"rendered": content}}
    found = list(find_content_images(post))
    assert [(each.url, each.media, each.alt_text) for each in found[:2]] == [
        ("http://shop.test/u/a.jpg", 5, None),
        ("http://shop.test/u/b.png", None, "b"),
    ]
    assert [each.url.rpartition("/")[2] for each in find_images(post, {})] == ["a.jpg", "b.png"]
    original = {"id": 5, "source_url": "http://cdn.test/o.jpg", "alt_text": "oak", "caption": {"rendered": "of old"}}
    first = find_images(post, {5: original})[0]
    assert (first.url, first.alt_text, first.key) == ("http://cdn.test/o.jpg", "oak", "5")
    assert "oak" in (first.caption or "")


def test_image_stamp_depends_only_on_media_file_fields() -> None:
    media = {"id": 5, "modified_gmt": "2024-05-01T10:00:00", "source_url": "u", "media_details": {"filesize": 7}}
    assert compute_stamp(media) == compute_stamp(media | {"alt_text": "other words"})
    for change in ({"modified_gmt": "2024-05-01T10:00:01"}, {"media_details": {"filesize": 8}}, {"source_url": "v"}):
        assert compute_stamp(media | change) != compute_stamp(media)
    assert compute_stamp({"id": 5}) is None
