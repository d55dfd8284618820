"""Fuzz the parsers of the stage `catalog` with atheris, which looks for inputs that run new code.

Any bytes must become accepted or quarantined records, or a user error that names the file. Nothing may crash or get
lost. Atheris is not a dependency of the project: install it with ``pip install atheris``. Then
``python -m benchmarks.fuzz_parsers wxr --minutes 10`` prints libFuzzer's lines and a summary, writes each input that
breaks a rule to ``--findings``, and exits with 1 if there is one. The parts of one input are separated by a null byte:
for `sitemap` a sitemap and a page, for `beir` corpus, queries and judgements.
"""

import argparse
import copy
import gzip
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

try:
    import atheris
except ImportError:  # the tests replay inputs without it
    atheris = None

INSTRUMENTED = ["assets", "heddle.core", "csv", "json", "defusedxml", "extruct", "mf2py", "scrapy", "w3lib"]
"""Packages whose branches libFuzzer counts. Parsers in C, such as expat and lxml, it cannot see into."""
if atheris and __name__ == "__main__":
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        import benchmarks.fuzz_catalog  # noqa: F401  imports the rest too
# ruff: noqa: E402  the imports below must follow
from benchmarks import fuzz_catalog  # isort: skip
from scrapy.exceptions import CloseSpider
from scrapy.http import HtmlResponse, Response

from assets.catalog.annotations import AnnotationSource
from assets.catalog.beir import BeirSource
from assets.catalog.coco import CocoSource
from assets.catalog.collector import Collector
from assets.catalog.images import ImageRejection
from assets.catalog.local_images import ImageFolders
from assets.catalog.sitemap import SitemapSpider
from assets.catalog.table import TableSource
from assets.catalog.wxr import WxrSource
from benchmarks.hostile import SCALARS, BrokenRuleError
from heddle.core.errors import UserError
from heddle.sources.parameters import Beir, Coco, Sitemap, Table, Wxr

MAX_BYTES = 40_000  # of an input that is made from a seed
SECONDS, MEGABYTES = 30, 4096  # limits of one input
SITE = "http://shop.test/sitemap.xml"

Target = Callable[[bytes, Path, Collector], str]


def wxr(content: bytes, folder: Path, collector: Collector) -> str:
    """Read a WordPress export file."""
    path = folder / "export.xml"
    path.write_bytes(content)
    fields: Any = {"price": "_price"} if b"_price" in content else {}
    source = Wxr(kind="wxr", name="mine", path=str(path), contact="me@shop.test", guides="page", fields=fields)
    return _gather(WxrSource(source), path, collector)


def sitemap(content: bytes, folder: Path, collector: Collector) -> str:
    """Read a sitemap, and a page of the site twice: as a listing and as a guide."""
    source = Sitemap(kind="sitemap", name="mine", url=SITE, contact="me@shop.test", guides="/blog/")  # type: ignore[arg-type]
    spider = SitemapSpider(source, collector=collector)
    file, page = (content, content) if content[:2] == b"\x1f\x8b" else _split(content, 2)
    try:
        for _ in spider._parse_sitemap(Response(SITE, body=file), depth=0):
            pass
    except CloseSpider:
        if SITE not in (spider.failure or ""):
            raise BrokenRuleError("the failure does not name the sitemap") from None
    for table in ("listings", "guides"):
        url = f"http://shop.test/{table}/1"
        spider._parse_page(HtmlResponse(url, body=page), url, table)
    _examine(collector)
    return "refused" if spider.failure else ""


def csv(content: bytes, folder: Path, collector: Collector) -> str:
    """Read a table."""
    path = folder / "table.csv"
    path.write_bytes(content)
    columns = {field: field for field in ("id", "image", "title", "price", "tags")}
    source = Table(kind="table", name="mine", path=str(path), columns=columns, contact="me@shop.test")
    return _gather(TableSource(source), path, collector)


def coco(content: bytes, folder: Path, collector: Collector) -> str:
    """Read annotations as listings of their own, and as annotations of a listing of another source."""
    path = folder / "instances.json"
    path.write_bytes(content)
    own = _gather(CocoSource(Coco(kind="coco", name="own", path=str(path), images=str(folder))), path, collector)
    draft = collector.add_listing("mine", "1", {"title": "Chair"}, {}, "row 1", image="sound.png")
    if draft is None:
        raise BrokenRuleError("a sound listing was rejected")
    collector.set_image_file(draft, "sound.png", ImageFolders([folder]))
    joined = Coco(kind="coco", name="joined", path=str(path), annotates="mine")
    return own or _gather(CocoSource(joined), path, collector)


def beir(content: bytes, folder: Path, collector: Collector) -> str:
    """Read guides, queries and judgements."""
    (folder / "qrels").mkdir(exist_ok=True)
    names = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
    for name, part in zip(names, _split(content, 3), strict=True):
        (folder / name).write_bytes(part)
    return _gather(BeirSource(Beir(kind="beir", name="mine", path=str(folder))), folder, collector)


TARGETS: Mapping[str, Target] = {each.__name__: each for each in (wxr, sitemap, csv, coco, beir)}


def run_once(target: str, content: bytes, folder: Path) -> str:
    """Give one input to a parser; return how it ended.

    Args:
        folder: contains the image `sound.png`; the input's files are written to it.

    Raises:
        BrokenRuleError: records got lost, or an error does not name its file.
    """
    blobs = folder / "blobs"
    blobs.mkdir(exist_ok=True)
    collector = fuzz_catalog.new_collector(blobs)
    try:
        refused = TARGETS[target](content, folder, collector)
        outcome = fuzz_catalog.finish(collector, blobs)
    finally:
        for file in blobs.iterdir():
            file.unlink()
    return refused or outcome


def seeds(target: str) -> list[bytes]:
    """Small sound files of all forms that a parser knows."""
    return list(_SEEDS[target]())


def _gather(source: Any, path: Path, collector: Collector) -> str:
    """Read all records of a source."""
    try:
        source.gather(collector)
        if isinstance(source, AnnotationSource):
            source.annotate(collector)
    except UserError as error:
        if str(path) not in str(error):
            raise BrokenRuleError(f"the error does not name {path.name}: {error}") from error
        return "refused"
    finally:
        _examine(collector)
    return ""


def _examine(collector: Collector) -> None:
    """Answer the requests for images, of which each would be sent over the network."""
    for url, image in collector.pending_images("mine").items():
        image.set_result(ImageRejection("image_missing", url or "no address"))


def _split(content: bytes, parts: int) -> list[bytes]:
    found = content.split(b"\0", parts - 1)
    return found + [b""] * (parts - len(found))


def _wxr_seeds() -> Iterator[bytes]:
    item = """<item><title>Chair &amp; table</title><link>http://shop.test/1</link>
<content:encoded><![CDATA[<p>Oak [caption id="a"]<img class="wp-image-2" src="http://shop.test/1.png">]]></content:encoded>
<excerpt:encoded><![CDATA[One]]></excerpt:encoded><wp:post_id>{id}</wp:post_id><wp:post_type>{type}</wp:post_type>
<wp:status>{status}</wp:status><wp:post_parent>{parent}</wp:post_parent>
<wp:post_date_gmt>2024-05-01 10:00:00</wp:post_date_gmt>
<wp:attachment_url>http://shop.test/{id}.png</wp:attachment_url><category domain="post_tag">oak</category>
<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>2</wp:meta_value></wp:postmeta>
<wp:postmeta><wp:meta_key>_price</wp:meta_key><wp:meta_value>12.50</wp:meta_value></wp:postmeta></item>"""
    spaces = "".join(
        f' xmlns:{name}="http://wordpress.org/export/1.2/{path}"'
        for name, path in (("wp", ""), ("excerpt", "excerpt/"))
    )
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?><rss{spaces} xmlns:content="http://purl.org/rss/1.0/modules/content/">'
    )
    kinds = (("post", "publish"), ("attachment", "inherit"), ("page", "publish"), ("post", "draft"))
    items = [item.format(id=n, type=type_, status=status, parent=n - 1) for n, (type_, status) in enumerate(kinds, 1)]
    for chosen in (items, items[:1], items[1:2], items[::2]):
        yield f"{head}<channel>{''.join(chosen)}</channel></rss>".encode()
    yield f"{head}<channel>{items[0]}</channel></rss>".replace("UTF-8", "UTF-16").encode("utf-16")


def _sitemap_seeds() -> Iterator[bytes]:
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    urls = f"<urlset {space}><url><loc>http://shop.test/1</loc><lastmod>2024-05-01</lastmod></url>"
    urls += "<url><loc>http://shop.test/blog/2</loc></url><url><loc>http://other.test/3</loc></url></urlset>"
    index = f"<sitemapindex {space}><sitemap><loc>http://shop.test/more.xml.gz</loc></sitemap></sitemapindex>"
    product = {"@context": "https://schema.org/", "@type": "Product", "name": "Chair", "image": ["/1.jpg"]}
    product |= {"offers": {"@type": "Offer", "price": "1"}, "keywords": "oak, old"}
    body = "<body><article><h1>Chair</h1><p>An oak chair, made by hand a long time ago.</p></article></body>"
    structured = f'<script type="application/ld+json">{json.dumps(product)}</script>'
    graph = '<meta property="og:title" content="Chair"><meta property="og:image" content="/1.jpg">'
    for file, head in ((urls, structured), (index, graph), (urls, graph), (urls, "<base href='//x'>")):
        page = f"<!DOCTYPE html><html lang='en'><head><title>T</title>{head}</head>{body}</html>"
        yield f'<?xml version="1.0"?>{file}\0{page}'.encode()
    yield gzip.compress(urls.encode(), mtime=0)


def _csv_seeds() -> Iterator[bytes]:
    rows = [["id", "image", "title", "price", "tags"], ["1", "sound.png", 'An "old", chair', "2.5", '["a"]']]
    rows += [["2", "http://shop.test/2.png", "Two\nlines", "", "a|b"], ["3", "../x", "Märchen", "1e999", ""]]
    for delimiter in ",;\t|":
        quoted = (delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
        yield "\r\n".join(quoted).encode()
    plain = "\n".join(",".join(cell.replace(",", " ").replace("\n", " ") for cell in row) for row in rows)
    yield from (plain.encode(encoding) for encoding in ("utf-8-sig", "utf-16", "cp1252"))


def _coco_seeds() -> Iterator[bytes]:
    image = {"id": 1, "file_name": "sound.png", "width": 40, "height": 30, "license": 1}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9.5, 9], "iscrowd": 1, "attributes": {"old": True}}
    content = {
        "images": [image, image | {"id": 2, "file_name": "gone.png"}],
        "annotations": [box, {"id": 2, "image_id": 1, "caption": "A chair"}, box | {"image_id": 3}],
        "categories": [{"id": 1, "name": "chair"}],
        "licenses": [{"id": 1, "url": "http://licence.test", "name": "CC"}],
    }
    yield json.dumps(content).encode()
    yield json.dumps(content | {"annotations": [box | {"attributes": ["a"]}]}).encode()


def _beir_seeds() -> Iterator[bytes]:
    corpus = '{"_id": "1", "title": "Oil", "text": "Oil the wood."}\n{"_id": "2", "text": "Sand it."}\n'
    queries = '{"_id": "1", "text": "how to oil"}\n{"_id": "2", "text": "how to sand"}\n'
    for judgements in ("query-id\tcorpus-id\tscore\n1\t1\t1\n2\t2\t-1\n", "1\t2\t0\n"):
        yield "\0".join((corpus, queries, judgements)).encode()


_SEEDS: Mapping[str, Callable[[], Iterable[bytes]]] = {
    "wxr": _wxr_seeds,
    "sitemap": _sitemap_seeds,
    "csv": _csv_seeds,
    "coco": _coco_seeds,
    "beir": _beir_seeds,
}


_PIECES = re.compile(rb"([<>\"',:;|{}\[\]\n\t]+)")
"""Signs between which the values of XML, JSON and tables are."""


def mutate(content: bytes, max_size: int, seed: int) -> bytes:
    """Change some values and leave the form, or let libFuzzer change any bytes: both find faults of other parts."""
    draw = random.Random(seed)
    if draw.random() < 0.2:
        return bytes(atheris.Mutate(content, max_size))
    lines = _LINES.split(content)  # lines at even places, their ends at odd ones
    place = 2 * draw.randrange(-(-len(lines) // 2))
    try:
        record = json.loads(lines[place])
        paths = fuzz_catalog.find_paths(record)
    except (ValueError, RecursionError):
        paths = []
    if not paths:
        return _mutate_pieces(content, max_size, draw)[:max_size]
    changes = [(draw.choice(paths), _draw_value(record, paths, draw)) for _ in range(draw.choice((1, 1, 2, 4)))]
    lines[place] = json.dumps(fuzz_catalog.change_values(record, changes)).encode()
    return b"".join(lines)[:max_size]


def _draw_value(record: Any, paths: list[Any], draw: random.Random) -> Any:
    """Draw a strange value, or one that is somewhere else in the record."""
    value = draw.choice(_JSON_VALUES) if (strange := draw.random() < 0.5) else record
    for key in () if strange else draw.choice(paths):
        value = value[key]
    value = copy.deepcopy(value)  # a later change must not change it in two places, or put it into itself
    if strange:
        return value
    return [value, value] if draw.random() < 0.2 else value


def _mutate_pieces(content: bytes, max_size: int, draw: random.Random) -> bytes:
    pieces = _PIECES.split(content)  # values at even places, signs at odd ones
    for _ in range(draw.choice((1, 1, 2, 4))):
        place = 2 * draw.randrange(-(-len(pieces) // 2))
        length = 2 * draw.choice((1, 2, 4, draw.randrange(1, 30)))
        match draw.randrange(5):
            case 0:
                pieces[place] = draw.choice(pieces[::2])
            case 1:
                pieces[place] = draw.choice(_VALUES)
            case 2:
                pieces[place:place] = pieces[place : place + length] if place + length < len(pieces) else []
            case 3:
                pieces[place : place + length] = [] if place + length < len(pieces) else pieces[place:]
            case _:
                pieces[place] = bytes(atheris.Mutate(pieces[place], min(max_size, len(pieces[place]) + 40)))
    return b"".join(pieces)


_LINES = re.compile(rb"([\0\n]+)")
_JSON_VALUES: tuple[Any, ...] = (
    *(
        *SCALARS,
        "",
        "a",
        "\ud800",
        "\0",
        "\x1b[2J",
        "x" * 5000,
        "../x",
        "http://[",
    ),
    *([], {}, [[]], [1, 2, 3, 4], {"a": {"b": []}}, [None], ["a", 1]),
)
_VALUES = (
    *(
        b"",
        b"0",
        b"-1",
        b"1e999",
        b"NaN",
        b"9" * 400,
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"[" * 2000,
        b'"\\ud800"',
        b"\xff",
    ),
    *(
        b'"\\ud800"',
        b"\x1b[2J",
        b"\xe2\x80\xae",
        b"&#27;",
        b"&#xD800;",
        b"&x;",
        b"<!DOCTYPE a>",
        b"<![CDATA[",
        b"]]>",
        b"../../x",
    ),
    *(b"http://[", b"http://a\x00b/", b"//x", b"javascript:1", b"\r", b"a" * 5000, b"0000-00-00 00:00:00", b"mailto:"),
)


class Findings:
    """Inputs that break a rule: the first one of each place in the code is kept, and the run goes on."""

    def __init__(self, target: str, folder: Path) -> None:
        self._target, self._folder = target, folder
        self.outcomes: Counter[str] = Counter()
        self.found: dict[str, Path] = {}
        self._slowest = 0.0

    def run(self, content: bytes, work: Path) -> None:
        """Give one input to the parser, and note how it ended."""
        start = time.monotonic()
        try:
            self.outcomes[run_once(self._target, content, work)] += 1
        except Exception as error:  # noqa: BLE001  any is a finding
            self._add(error, content)
        self._slowest = max(self._slowest, time.monotonic() - start)

    def report(self) -> None:
        """Print the summary."""
        outcomes = ", ".join(f"{name} {times:,}" for name, times in sorted(self.outcomes.items()))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        limits = f"slowest {self._slowest:.2f} s, peak memory {peak:,} MiB"
        print(f"{self._target}: {self.outcomes.total():,} inputs: {outcomes}; {limits}")
        for place, path in self.found.items():
            print(f"{self._target}: FINDING {place}: {path}")
        sys.stdout.flush()

    def _add(self, error: Exception, content: bytes) -> None:
        self.outcomes["broke a rule"] += 1
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        if place in self.found:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._target}_{len(self.found)}"
        path.write_bytes(content)
        self.found[place] = path
        traceback.print_exception(error)
        print(f"FINDING {place}: {path}", flush=True)


def _read_corpus(folder: Path) -> list[bytes]:
    """Read real files; each is also an input up to its first 4,000 bytes, as small inputs are mutated faster."""
    contents = [path.read_bytes()[:MAX_BYTES] for path in sorted(folder.rglob("*")) if path.is_file()]
    return contents + [content[:4_000] for content in contents]


def main() -> None:
    """Fuzz one parser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS), help="parser to fuzz")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the run")
    parser.add_argument("--seed", type=int, default=1, help="random seed of libFuzzer")
    parser.add_argument("--corpus", type=Path, help="folder of real files, which are mutated like the generated seeds")
    parser.add_argument(
        "--findings", type=Path, default=Path("fuzz_findings"), help="folder of inputs that break a rule"
    )
    told = parser.parse_args()
    if atheris is None:
        sys.exit("atheris is not installed; install it with `pip install atheris`")
    findings = Findings(told.target, told.findings)
    with tempfile.TemporaryDirectory() as name:
        work, inputs = Path(name, "work"), Path(name, "inputs")
        work.mkdir()
        inputs.mkdir()
        (work / "sound.png").write_bytes(fuzz_catalog.sample_image("PNG"))
        contents = seeds(told.target) + (_read_corpus(told.corpus) if told.corpus else [])
        for number, content in enumerate(contents):
            (inputs / f"seed_{number}").write_bytes(content)
        told.findings.mkdir(parents=True, exist_ok=True)
        options = [f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={MAX_BYTES}", f"-seed={told.seed}"]
        options += [f"-artifact_prefix={told.findings}/{told.target}_libfuzzer_", f"{inputs}"]
        end = time.monotonic() + told.minutes * 60

        def test(content: bytes) -> None:
            findings.run(content, work)
            if time.monotonic() > end:  # libFuzzer would end the process without a word about the outcomes
                findings.report()
                shutil.rmtree(name)
                os._exit(bool(findings.found))

        def mutate_or_exit(content: bytes, max_size: int, seed: int) -> bytes:
            try:
                return mutate(content, max_size, seed)
            except Exception:  # noqa: BLE001 - libFuzzer would end the process with exit code 0
                traceback.print_exc()
                os._exit(2)

        atheris.Setup([sys.argv[0], *options], test, custom_mutator=mutate_or_exit)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
