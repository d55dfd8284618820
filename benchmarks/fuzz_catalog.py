"""What the stage `catalog` makes of anything that strangers may send: records, markup, files and images.

Each input must be accepted, quarantined with a reason, or refused with a clear error; none may crash, hang or get lost.
``python -m benchmarks.fuzz_catalog --cases 20000`` prints how many cases of each kind ended how. The test suite runs
the same functions with fewer cases.
"""

import argparse
import faulthandler
import io
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scrapy.exceptions import CloseSpider
from scrapy.http import TextResponse

from assets.catalog.collector import Collector
from assets.catalog.images import ImageRejectedError, ImageRejection, examine_image
from assets.catalog.local_images import ImageFolders
from assets.catalog.table import TableSource
from assets.catalog.wordpress import WordPressSite, WordPressSpider
from heddle.core.html_text import plain_text, safe_html
from heddle.core.schemas import QUARANTINE, TABLES, write_table
from heddle.core.stage import StageError
from heddle.images.originals import Original
from heddle.sources.parameters import ListingField, Table

Outcomes = Counter[str]
MINUTES = 60  # a run that takes longer hangs: the process ends with a traceback of where

_odd = ["", "1", "nan", "1e999", "[", '["a"]', "a|b", "\0", "\ud800", "9" * 400]
_words = st.text(max_size=30) | st.sampled_from(_odd)
_leaf = st.none() | st.booleans() | st.integers() | st.floats() | _words
_keys = st.sampled_from(["rendered", "label", "box", "subject", "object", "predicate", "taxonomy", "name"]) | _words
_json = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4))
_marks = (
    *("<p>", "</p>", "<b", ">", "<", "&", "&amp;", "&#x41;", "&#0;", "'", '"', " ", "\n", "\0", "x", "</"),
    *("<a href=", "javascript:", "<img src=x onerror=", "<svg>", "<math>", "<style>", "<script>", "<!--", "-->"),
    *("<![CDATA[", "]]>"),
)
_markup = st.lists(st.sampled_from(_marks) | st.text(max_size=5), max_size=40).map("".join)


def posts(folder: Path, cases: int) -> Outcomes:
    """Pages of WordPress posts, of any shape, through the source's own parser."""
    found: Outcomes = Counter()
    whole = examine_image(Original.whole(folder / "sound.png"), 1e6)
    changes = st.lists(st.tuples(st.sampled_from(find_paths(_POST)), _json | _markup), max_size=4)

    @_fuzz(cases)
    @given(
        pages=st.lists(changes, min_size=1, max_size=4),
        strange=st.none() | _json,
        cut=st.none() | st.integers(0, 60),
        status=st.sampled_from([200, 404]),
    )
    def page(pages: list[Any], strange: Any, cut: int | None, status: int) -> None:
        told = [change_values(_POST | {"id": number}, each) for number, each in enumerate(pages, 1)]
        body = json.dumps(told if strange is None else [*told, strange] if len(told) % 2 else strange).encode()
        collector = new_collector(folder)
        spider = WordPressSpider(WordPressSite("shop", "http://shop.test", per_page=9), collector=collector)
        headers = {"X-WP-TotalPages": "1", "Content-Type": "application/json"}
        answer = TextResponse("http://shop.test/posts", body=body[: cut and -cut], headers=headers, encoding="utf-8")
        try:
            assert not list(spider._parse_page(answer, path="posts", table="listings", number=1))
        except CloseSpider:
            found["refused with an error" if answer.url in (spider.failure or "") else "NAMELESS"] += 1
            return
        for shown in collector.pending_images("shop").values():
            shown.set_result(whole if status == 200 else ImageRejection("image_missing", "returned 404 Not Found"))
        found[finish(collector, folder)] += 1

    page()
    return found


def rows(folder: Path, cases: int) -> Outcomes:
    """Rows of every table, each column of which may hold anything."""
    found: Outcomes = Counter()
    fields = {name: tuple(schema.names) for name, schema in TABLES.items() if name != "images"}
    fields["listings"] = get_args(ListingField)
    one = st.sampled_from(sorted(fields)).flatmap(
        lambda table: st.tuples(st.just(table), st.dictionaries(st.sampled_from(fields[table]), _json | _markup))
    )

    @_fuzz(cases)
    @given(told=st.lists(one, min_size=1, max_size=4))
    def row(told: list[tuple[str, dict[str, Any]]]) -> None:
        collector = new_collector(folder)
        for number, (table, values) in enumerate(told):
            if table != "listings":
                collector.add_row(table, "mine", values, values, f"row {number}")
            elif draft := collector.add_listing("mine", str(number % 3), values, values, f"row {number}"):
                collector.set_image_file(draft, "sound.png", ImageFolders([folder]))
        found[finish(collector, folder)] += 1

    row()
    return found


def markup(folder: Path, cases: int) -> Outcomes:
    """HTML, made safe and made plain."""
    found: Outcomes = Counter()

    @_fuzz(cases)
    @given(text=_markup)
    def html(text: str) -> None:
        safe = safe_html(text)
        assert safe_html(safe) == safe
        assert "<script" not in safe.lower()
        plain_text(text)
        found["accepted"] += 1

    html()
    return found


def files(folder: Path, cases: int) -> Outcomes:
    """CSV, TSV and JSON Lines, whole and damaged."""
    found: Outcomes = Counter()
    cell = _words | st.sampled_from(['"', 'a"b', "a,b", "a\tb", "\r", "\n"])
    image = st.sampled_from(["sound.png", "sound.png", "gone.png", "../x", "ftp://x/y"]) | cell
    row = st.tuples(st.integers(0, 9).map(str) | cell, image, cell) | st.lists(cell, max_size=5)
    table = st.lists(row, max_size=5)

    @_fuzz(cases)
    @given(
        suffix=st.sampled_from([".csv", ".tsv", ".jsonl"]),
        cells=table,
        records=st.lists(_json, max_size=4),
        junk=st.none() | st.binary(max_size=20),
        place=st.integers(0, 80),
    )
    def file(suffix: str, cells: list[list[str]], records: list[Any], junk: bytes | None, place: int) -> None:
        delimiter = "\t" if suffix == ".tsv" else ","
        lines = [delimiter.join(("id", "image", "title", "price")), *(delimiter.join(row) for row in cells)]
        if suffix == ".jsonl":
            named = [dict(zip(("id", "image", "title", "price"), row, strict=False)) for row in cells]
            lines = [json.dumps(record) for record in (*named, *records)]
        content = "\n".join(lines).encode("utf-8", "surrogatepass")
        path = folder / f"table{suffix}"
        path.write_bytes(content if junk is None else content[:place] + junk + content[place:])
        columns = {"id": "id", "image": "image", "title": "title", "price": "price"}
        source = Table(kind="table", name="mine", path=str(path), columns=columns, contact="me@shop.test")
        collector = new_collector(folder)
        try:
            TableSource(source).gather(collector)
        except StageError as error:
            found["refused with an error" if str(path) in str(error) else "NAMELESS"] += 1
            return
        for url, shown in collector.pending_images("mine").items():
            shown.set_result(ImageRejection("image_missing", url or "no address"))
        found[finish(collector, folder)] += 1

    file()
    return found


def images(folder: Path, cases: int) -> Outcomes:
    """JPEG, PNG, WebP, GIF and the other formats with bytes changed, cut out, repeated and put in."""
    found: Outcomes = Counter()
    whole = {form: sample_image(form) for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")}
    path = folder / "mutated"

    @_fuzz(cases)
    @given(
        form=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", *whole]),
        seed=st.integers(0, 2**32),
        times=st.integers(1, 12),
    )
    def image(form: str, seed: int, times: int) -> None:
        path.write_bytes(_mutated(whole[form], random.Random(seed), times))
        try:
            outcome = "accepted" if examine_image(Original.whole(path), 1e6).width else "EMPTY"
        except ImageRejectedError as error:
            outcome = error.reason
        found[f"{form} {outcome}"] += 1

    image()
    return found


KINDS: Mapping[str, Callable[[Path, int], Outcomes]] = {
    each.__name__: each for each in (posts, rows, markup, files, images)
}

_POST: dict[str, Any] = {
    "id": 1,
    "link": "http://shop.test/1",
    "title": {"rendered": "Chair"},
    "content": {"rendered": "<p>One</p>"},
    "date_gmt": "2024-05-01T10:00:00",
    "meta": {"price": 2, "objects": [{"label": "a", "box": [0, 0, 1, 1]}], "relations": [], "preferences": ["x"]},
    "yoast_head_json": {"title": "Chair"},
    "_embedded": {
        "wp:featuredmedia": [{"source_url": "http://shop.test/1.png", "alt_text": "a", "caption": {"rendered": "b"}}],
        "wp:term": [[{"taxonomy": "category", "name": "c"}], [{"taxonomy": "post_tag", "name": "d"}]],
    },
}


def _fuzz(cases: int) -> Callable[[Any], Any]:
    """The same cases every time, and no case is too slow, as the whole run has its limit."""
    checks = list(HealthCheck)
    return settings(max_examples=cases, deadline=None, database=None, derandomize=True, suppress_health_check=checks)


def new_collector(folder: Path) -> Collector:
    return Collector(folder, 1e6, 1_000_000, 1)


def finish(collector: Collector, folder: Path) -> str:
    """How it ended; nothing may be lost, and what there is must fit the tables and be written."""
    result = collector.finish()
    accepted = len(result.listings) + sum(map(len, collector.tables.values()))
    assert sum(collector.fetched.values()) == accepted + len(result.quarantine)
    assert all(row["reason"] and row["detail"] for row in result.quarantine)
    tables = {name: [row for _, row in kept.values()] for name, kept in collector.tables.items()}
    tables["quarantine"] = result.quarantine
    tables["listings"] = [draft.row | {"image": image.sha256, "exif": []} for draft, image in result.listings]
    for name, rows in tables.items():
        if rows:
            write_table(folder / f"{name}.parquet", rows, (TABLES | {"quarantine": QUARANTINE})[name])
    return "accepted" if not result.quarantine else "quarantined" if not accepted else "some of each"


def find_paths(record: Any, start: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    return [path for key, value in inner for path in ((*start, key), *find_paths(value, (*start, key)))]


def change_values(record: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    """The record with other values at some paths, as far as they still are there."""
    copy = json.loads(json.dumps(record))
    for path, value in changes:
        at = copy
        with suppress(LookupError, TypeError):  # an earlier change took the place away
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
    return copy


def sample_image(form: str) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Loomtech"
    frames = [Image.effect_mandelbrot((40, 30), (-2.5, -1.5, 1, 1.5), shade).convert("RGB") for shade in (30, 50)]
    told: dict[str, Any] = {"exif": exif} if form in ("JPEG", "PNG", "WEBP", "TIFF") else {}
    if form in ("GIF", "PNG", "WEBP", "TIFF"):
        told |= {"save_all": True, "append_images": frames[1:]}
    frames[0].save(file, form, **told)
    return file.getvalue()


def _mutated(content: bytes, draw: random.Random, times: int) -> bytes:
    changed = bytearray(content)
    for _ in range(times):
        place = draw.choice((draw.randrange(len(changed) + 1), draw.randrange(min(64, len(changed) + 1))))
        length = draw.choice((1, 2, 4, draw.randrange(200)))
        match draw.randrange(4):
            case 0:
                changed[place : place + length] = draw.randbytes(length)
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place : place + length] = draw.choice((b"\0", b"\xff", b"\x7f")) * length
            case _:
                changed[place:place] = draw.choice((changed[place : place + length], draw.randbytes(length)))
    return bytes(changed)


def main() -> None:
    """Run all kinds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="in all, over the kinds")
    cases = parser.parse_args().cases
    faulthandler.dump_traceback_later(MINUTES * 60, exit=True)
    total = 0
    for kind, fuzz in KINDS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.joinpath("sound.png").write_bytes(sample_image("PNG"))
            found = fuzz(folder, -(-cases // len(KINDS)))
        total += found.total()
        outcomes = ", ".join(f"{name} {times:,}" for name, times in sorted(found.items()))
        print(f"{kind:10} {found.total():7,}  {outcomes}", flush=True)
    print(f"{'all':10} {total:7,}  no crash, none lost")


if __name__ == "__main__":
    main()
