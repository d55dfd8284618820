"""The source `wxr`, over real export files, a small one of our own, and files that nobody should have written."""

import re
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.catalog import wxr
from assets.catalog.wxr import WxrSource
from heddle.core.stage import StageError
from tests.support import wordpress_site
from tests.support.source_project import NEAR, parameters, read

EXPORTS = Path(__file__).parents[4] / "shared/data/wordpress"
REAL = ("themeunittestdata.wordpress.xml", "64-block-test-data.xml")
HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Shop</title><link>https://shop.test</link><wp:wxr_version>1.2</wp:wxr_version>
"""
TAIL = "</channel></rss>\n"


def item(
    number: int, type_: str = "post", content: str = "<p>An oak chair.</p>", more: str = "", **postmeta: str
) -> str:
    meta = "".join(
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
        for key, value in postmeta.items()
    )
    return (
        f"<item><title><![CDATA[Chair &amp; {number}]]></title><link>https://shop.test/{number}/</link>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded><excerpt:encoded><![CDATA[]]></excerpt:encoded>"
        f"<wp:post_id>{number}</wp:post_id><wp:post_date_gmt>2024-05-01 10:00:00</wp:post_date_gmt>"
        f"<wp:post_type>{type_}</wp:post_type>{meta}{more if '<wp:status>' in more else more + STATUS}</item>\n"
    )


STATUS = "<wp:status>publish</wp:status>"


def attachment(number: int, file: str, parent: int = 0, **postmeta: str) -> str:
    url = f"<wp:attachment_url>https://shop.test/up/{file}</wp:attachment_url>"
    parent_id = f"<wp:post_parent>{parent}</wp:post_parent>"
    return item(number, "attachment", "", f"{url}{parent_id}<wp:status>inherit</wp:status>", **postmeta)


def brought(tmp_path: Path, content: str | bytes | Path, **options: Any) -> tuple[dict[str, dict[str, Any]], Any, Any]:
    """Rows by id, the images that would be fetched by id, and what was refused for another cause than its image."""
    path = content if isinstance(content, Path) else tmp_path / "export.xml"
    if not isinstance(content, Path):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    options = {"name": "w", "kind": "wxr", "path": str(path), "contact": "a@b.test"} | options
    collector, result, wanted = read(WxrSource(parameters(**options)), tmp_path / "spool")
    assert collector.fetched["listings"] == sum(row["table"] == "listings" for row in result.quarantine)
    listings = {draft.id.partition(":")[2]: dict(draft.row) for draft, _ in wanted}
    images = {draft.id.partition(":")[2]: url for draft, url in wanted}
    return listings, images, [row for row in result.quarantine if row["reason"] != "image_missing"]


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="../shared/data/wordpress is not on this machine")
@pytest.mark.parametrize("file", REAL)
def test_every_attachment_and_post_of_a_real_export_comes(tmp_path: Path, file: str) -> None:
    items = ElementTree.parse(EXPORTS / file).getroot().findall(".//item")
    records = [{re.sub("{.*}", "", child.tag): (child.text or "").strip() for child in each} for each in items]
    types = Counter(each["post_type"] for each in records)
    text = (EXPORTS / file).read_text()
    assert types["post"] == len(re.findall(r"<wp:post_type>(?:<!\[CDATA\[)?post\b", text))
    posts = {each["post_id"]: each for each in records if each["post_type"] == "post"}
    attachments = {each["post_id"]: each["attachment_url"] for each in records if each["post_type"] == "attachment"}
    assert (len(posts), len(attachments)) == {REAL[0]: (58, 37), REAL[1]: (61, 9)}[file]

    listings, images, refused = brought(tmp_path, EXPORTS / file)

    refused_ids = [row["id"].partition(":")[2] for row in refused]
    came = [*listings, *refused_ids]
    assert len(came) == len(set(came))
    assert set(posts) <= set(came)  # each post, as a listing or with a reason
    assert set(came) <= set(posts) | set(attachments)
    for id_, url in attachments.items():  # each attachment, as a listing or as the image of a post
        assert id_ in listings or url in {images[post] for post in posts if post in images}
        if id_ in listings:
            assert images[id_] == url
    hidden = {id_ for id_, each in posts.items() if each["status"] != "publish" or each.get("post_password")}
    assert {row["id"].partition(":")[2] for row in refused if row["reason"] == "not_published"} == hidden
    assert {row["reason"] for row in refused} <= {"not_published", "no_image"}
    for id_, post in posts.items():
        if id_ in listings:
            assert listings[id_]["url"] == post["link"]


def test_fields_are_those_of_the_rest_api(tmp_path: Path) -> None:
    terms = (
        '<category domain="post_tag" nicename="r">red &amp; blue</category><category domain="category">Seats</category>'
    )
    post = item(7, more=terms, _thumbnail_id="9", fabric="oak", content="<p>Old <b>oak</b>[gallery ids='1']</p>")
    image = attachment(9, "chair.jpg", _wp_attachment_image_alt="An oak chair")
    listings, images, _ = brought(tmp_path, HEAD + post + image + TAIL, fields={"material": "fabric"})
    assert images == {"7": "https://shop.test/up/chair.jpg"}
    row = listings["7"]
    assert (row["title"], row["description"], row["material"]) == ("Chair & 7", "Old oak", "oak")
    assert (row["tags"], row["categories"], row["alt_text"]) == (["red & blue"], ["Seats"], "An oak chair")
    assert (row["created"], row["url"]) == ("2024-05-01T10:00:00Z", "https://shop.test/7/")
    assert row["body"] == "<p>Old <b>oak</b> </p>"
    assert row["context"]["site"] == "shop.test"


def test_a_posts_image_is_featured_or_inline_or_uploaded_to_it(tmp_path: Path) -> None:
    parts = [
        item(1, _thumbnail_id="11", content="<img src='https://shop.test/other.jpg'>"),
        item(2, content="<p>x</p><img alt='' class='wp-image-12' src='https://shop.test/up/b-300x200.jpg'>"),
        item(3, content="<img src='/up/c.jpg?a=1&amp;b=2'>"),
        item(4, content="[gallery]"),
        item(5),
        *(attachment(10 + n, f"{name}.jpg") for n, name in ((1, "a"), (2, "b"), (6, "alone"))),
        attachment(14, "film.mov", 4),
        attachment(15, "d.jpg", 4),
    ]
    _, images, refused = brought(tmp_path, HEAD + "".join(parts) + TAIL)
    up = "https://shop.test/up/"
    own = {"14": f"{up}film.mov", "16": f"{up}alone.jpg"}
    assert images == {"1": f"{up}a.jpg", "2": f"{up}b.jpg", "3": f"{up}c.jpg?a=1&b=2", "4": f"{up}d.jpg"} | own
    assert [(row["id"], row["reason"]) for row in refused] == [("w:5", "no_image")]


def test_pages_may_be_guides_and_hidden_ones_are_refused(tmp_path: Path) -> None:
    private = "<wp:status>private</wp:status>"
    parts = [item(1, "page"), item(2, "page", more=private), item(3, more="<wp:post_password>x</wp:post_password>")]
    path = tmp_path / "export.xml"
    path.write_text(HEAD + "".join(parts) + item(4, _thumbnail_id="9") + TAIL)
    source = WxrSource(parameters(name="w", kind="wxr", path=str(path), contact="a@b.test", guides="page"))
    collector, result, _ = read(source, tmp_path / "spool")
    assert [row for _, row in collector.tables["guides"].values()] == [
        {"id": "w:1", "title": "Chair & 1", "text": "An oak chair."}
    ]
    hidden = [(row["table"], row["id"]) for row in result.quarantine if row["reason"] == "not_published"]
    assert hidden == [("guides", "w:2"), ("listings", "w:3")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "check that it is a WordPress export file"),
        ("<html>no export</html>", "the file has no posts"),
        ('{"a": 1}', "invalid XML"),
        (HEAD + item(1, "page") + item(2, "page") + TAIL, "no posts of type post; found: page (2)"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + HEAD.partition("?>")[2] + item(1) + TAIL, "DTDForbidden"),
        (b"\xff\xfe" + HEAD.encode("utf-16-be"), "check that it is a WordPress export file"),
    ],
)
def test_files_of_other_kinds_are_refused_with_what_was_found(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(StageError) as caught:
        brought(tmp_path, content)
    assert "source w: " in str(caught.value)
    assert message in str(caught.value)


def test_wrong_field_mapping_error_lists_custom_fields(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"source w: .*: fields: no column 'fabirc'; columns: colour, fabric"):
        brought(tmp_path, HEAD + item(1, fabric="oak", colour="red") + TAIL, fields={"material": "fabirc"})


def test_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="file not found"):
        brought(tmp_path, tmp_path / "none.xml")


WHOLE = HEAD + "".join(item(n, _thumbnail_id=str(100 + n)) for n in range(1, 6)) + attachment(101, "a.jpg") + TAIL


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(WHOLE.index("</item>") + 7, len(WHOLE) - 8))
def test_truncated_export_keeps_items_before_cut_and_reports(tmp_path: Path, at: int) -> None:
    whole = WHOLE[:at].count("</item>")
    listings, _, refused = brought(tmp_path, WHOLE[:at])
    damage = [row for row in refused if "invalid XML" in row["detail"]]
    assert len(damage) == 1
    assert len(refused) - 1 + len(listings) == min(whole, 5)


PUT = ["", "\0", "&lol;", "<", "]]>", "http://[", "\x08", "<item>", "é", "9" * 400, "<!DOCTYPE a>", "</channel>"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.integers(len(HEAD), len(WHOLE)), st.integers(0, 60), st.sampled_from(PUT)), min_size=1, max_size=4
    )
)
def test_no_change_makes_an_export_crash_or_lose_a_record(tmp_path: Path, changes: list[tuple[int, int, str]]) -> None:
    content = WHOLE
    for at, length, put in changes:
        content = content[:at] + put + content[at + length :]
    try:
        listings, _, refused = brought(tmp_path, content)  # which compares what was fetched with what came
    except StageError:  # not even one post is left
        return
    assert listings or refused


def test_memory_is_that_of_one_item(tmp_path: Path) -> None:
    def peak(items: int) -> int:
        path = tmp_path / f"{items}.xml"
        with path.open("w") as file:
            file.write(HEAD)
            file.writelines(item(n, "nav_menu_item", "x" * 20_000) for n in range(items))
            file.write(item(items + 1) + TAIL)
        tracemalloc.start()
        brought(tmp_path, path)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(10)
    assert peak(1_000) < peak(50) + 2_000_000  # the longer file is 19 MB longer


def test_an_item_without_an_end_is_not_read_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.catalog.wxr._MAX_ITEM_BYTES", 100_000)
    listings, _, refused = brought(tmp_path, HEAD + item(1, _thumbnail_id="9") + item(2, content="x" * 300_000) + TAIL)
    assert any("an item has more than 100,000 bytes" in row["detail"] for row in refused)
    assert not listings


def test_images_of_an_export_are_crawled(tmp_path: Path) -> None:
    site = wordpress_site.FakeSite()
    text = HEAD + item(1, _thumbnail_id="9") + attachment(9, "9") + attachment(8, "8") + TAIL
    (tmp_path / "export.xml").write_text(text.replace("https://shop.test/up", f"{site.url}/images"))
    options = ["path: export.xml", *NEAR]
    try:
        done = wordpress_site.run(tmp_path, "\n        ".join(["- name: w", "kind: wxr", *options]))
    finally:
        site.close()
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in wordpress_site.rows(tmp_path, "listings")] == ["w:1", "w:8"]


@pytest.mark.parametrize("part", ["[caption ", "<img "])
def test_patterns_take_linear_time(part: str) -> None:
    """A pattern that takes quadratic time would need an hour here."""
    hostile = part * 300_000
    assert wxr._SHORTCODE.sub(" ", hostile) == hostile
    assert wxr._IMAGE.search(hostile) is None
