"""Send hostile text through the stages `catalog` and `validated`, the commands, the report and the parameters.

Each batch of records is written in five formats, read by the stage `catalog`, checked by `validated`, and printed by
all commands. The text has markup of terminals, HTML, Markdown and YAML, control and bidi characters, long words and
wrong types. Nothing may end with a traceback or get lost, no control character may reach a terminal, and no value may
become an element of a page. ``python -m benchmarks.fuzz_commands --rows 20000 --files 2000`` prints how many inputs
ended how.
"""

import argparse
import contextlib
import csv
import dataclasses
import io
import json
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.images import ImageRejection, examine_image
from assets.catalog.stage import catalog
from assets.gates import Gates
from assets.validated.stage import validated
from benchmarks.hostile import Hostile, Record, check, check_page
from dagster_project.parameter_values import parameter_table, read_values
from dagster_project.parameters import check_parameters
from dagster_project.progress import RunProgress, print_errors
from dagster_project.publish_content import Publication
from dagster_project.publish_content import show as show_plan
from dagster_project.registry import Version
from dagster_project.registry_table import registry_records, registry_table
from dagster_project.status import StageStatus, status_table
from heddle.cli import ask, classify, quarantine, recommend, search
from heddle.core.errors import UserError
from heddle.core.parameters.provenance import EffectiveValue
from heddle.core.schemas import read_rows
from heddle.core.stage import Metrics, Stage
from heddle.core.terminal import PipeConsole, json_text
from heddle.images.originals import Original
from heddle.inference.ask import Reply, SafetyNote
from heddle.inference.classify import Classification
from heddle.inference.recommend import QueryNode, Recommendation, Recommendations
from heddle.inference.search import ListingHit
from heddle.publishing.plan import Action, PlannedChange
from heddle.recommendation.relations import RecommendedEdge
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.retriever import GuideHit, GuideSearchResult
from heddle.validation.expectations import EXPECTATIONS

ROOT = Path(__file__).parents[1]
BATCH = 200  # records of one source in one run of the stages
IMAGES = 150

XML_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # categories of characters that no terminal may get


def run_batch(hostile: Hostile, folder: Path, found: Counter[str]) -> None:
    """Send one batch through the stages, the pages and the commands."""
    lines = write_sources(hostile, folder)
    metrics = _run(catalog, folder)
    parts = [metrics[f"listings_{name}"] for name in ("accepted", "quarantined", "duplicates")]
    fetched = [metrics[f"{table}_fetched"] for table in ("listings", "guides", "queries", "qrels")]
    check(fetched[0] == sum(parts), f"{fetched[0]} fetched, but {parts} accepted, quarantined and duplicates")
    check(sum(fetched) == lines, f"{lines} records were written, {fetched} were fetched")
    metrics = _run(validated, folder)
    listings, refused = (read_rows(folder / f"data/validated/{name}.parquet") for name in ("listings", "quarantine"))
    check(len(listings) + sum(r["table"] == "listings" for r in refused) == parts[0] + parts[1], "validated lost rows")
    found["records accepted"] += len(listings) + metrics["guides_accepted"]
    found["records quarantined"] += len(refused)
    found["records dropped as duplicates"] += parts[2]
    for page in (folder / "data/validated/docs").iterdir():
        check_page(page.read_text())
        found["pages"] += 1
    texts = [value for row in (*listings, *refused) for value in row.values() if isinstance(value, str)]
    guides = read_rows(folder / "data/validated/guides.parquet")
    texts += [value for row in guides for value in row.values() if isinstance(value, str)]
    texts += [hostile.text() for _ in range(100)]  # what models and sites say passes no stage
    for text in hostile.draw.sample(texts, min(len(texts), 300)):
        print_everywhere(text)
        found["texts printed"] += 1


def write_sources(hostile: Hostile, folder: Path) -> int:
    """Write one batch in all formats; return the number of its records."""
    records = [hostile.record(number, IMAGES) for number in range(5 * BATCH)]
    _write_csv(folder / "rows.csv", records[:BATCH])
    lines = [json.dumps(record) for record in records[BATCH : 2 * BATCH]]
    lines[3] = re.sub("[\r\n]", " ", hostile.text()).strip() or "x"
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8", "backslashreplace")
    (folder / "export.xml").write_text(_wxr(records[2 * BATCH : 3 * BATCH]), "utf-8")
    coco = [_coco_image(number, record) for number, record in enumerate(records[3 * BATCH : 4 * BATCH])]
    notes = [
        {"image_id": image["id"], "category_id": 1, "bbox": [0, 0, 9, 9], "caption": hostile.text()} for image in coco
    ]
    content = {"images": coco, "annotations": notes, "categories": [{"id": 1, "name": hostile.text()}]}
    (folder / "instances.json").write_text(json.dumps(content))
    return 4 * BATCH + _write_beir(hostile, folder, records[4 * BATCH :])


def print_everywhere(text: str) -> None:
    """Print a text with the printing functions of all commands, as tables and as JSON.

    Raises:
        BrokenRuleError: a control character reached the terminal.
    """
    for function in PRINTERS:
        for as_json in (False, True):
            file = io.StringIO()
            console = PipeConsole(file=file, force_terminal=True, no_color=True, width=120, legacy_windows=False)
            with contextlib.redirect_stdout(file):
                function(text, console, as_json)
            output = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())  # styles of Rich: bold and dim
            hidden = {each for each in output if unicodedata.category(each) in FORBIDDEN} - set("\n\t\u200c\u200d")
            check(not hidden, f"{function.__name__} printed {hidden!r} of {text[:80]!r}")


def _print_hits(text: str, console: PipeConsole, as_json: bool) -> None:
    hits = [ListingHit(0.5, text, text, text, text, text, 1.0)]
    with patch.object(search, "search_listings", lambda **_: hits):
        search.print_listings("chair", 1, "bm25", as_json=as_json, console=console)


def _print_guides(text: str, console: PipeConsole, as_json: bool) -> None:
    result = GuideSearchResult([GuideHit(text, text, text, 0.5)], 0.5, "high")
    with patch.object(search, "search_guides", lambda *_: result):
        search.print_guides("chair", 1, RetrievalConfig(), as_json=as_json, console=console)


def _print_answer(text: str, console: PipeConsole, as_json: bool) -> None:
    reply = Reply(text, [SafetyNote(text, text)], [text], [GuideHit(text, text, text, 0.5)], 0.5, "high")
    with patch.object(ask, "ask", lambda *_: reply):
        ask.print_answer("chair?", 1, as_json=as_json, console=console)


def _print_classes(text: str, console: PipeConsole, as_json: bool) -> None:
    classes = Classification({"vision": {"item": {text: 0.5}}}, (text,), {text: text})
    with patch.object(classify, "classify", lambda *_: classes):
        classify.print_classification(Path("a.png"), None, 1, as_json=as_json, console=console)


def _print_description(text: str, console: PipeConsole, as_json: bool) -> None:
    if as_json:
        print(json_text({"title": text}, indent=2))  # as `heddle describe` does
    else:
        console.print_line(text)


def _print_recommendations(text: str, console: PipeConsole, as_json: bool) -> None:
    hit = Recommendation(text, text, text, (RecommendedEdge(text, text, text),), 0.7, 1.0, (text,))
    answer = Recommendations((QueryNode(text, text, text, 0.5),), (hit,))
    with patch.object(recommend, "recommend", lambda *_: answer):
        recommend.print_recommendations("chair", 1, as_json=as_json, console=console)


def _print_quarantine(text: str, console: PipeConsole, as_json: bool) -> None:
    row = dict.fromkeys(("table", "id", "origin", "reason", "detail", "record"), text)
    with patch.object(quarantine, "_rows", lambda _: [row]):
        for ids in ((), (text,)):
            quarantine.show_quarantine(Path(), ids, None, as_json=as_json, console=console)


def _print_registry(text: str, console: PipeConsole, as_json: bool) -> None:
    version = Version(text, text, "0" * 40, datetime(2026, 1, 1, tzinfo=UTC), (text,), "", {text: 0.5})
    gates = Gates.model_validate({})
    if as_json:
        print(json_text(registry_records([version], gates), indent=2))
    else:
        console.print(registry_table([version], gates))


def _print_status(text: str, console: PipeConsole, as_json: bool) -> None:
    status = StageStatus(text, False, (text,), text, 0.5, None)
    console.print(status_table([status])) if not as_json else print(json_text([vars(status)], indent=2))


def _print_parameters(text: str, console: PipeConsole, as_json: bool) -> None:
    values = [EffectiveValue(text, text, text, text), EffectiveValue("key", [text], "params.yaml", "")]
    if as_json:
        print(json_text([dataclasses.asdict(value) for value in values], indent=2))
    else:
        console.print(parameter_table(values))


def _print_run(text: str, console: PipeConsole, as_json: bool) -> None:
    progress = RunProgress(["clip"], {})
    progress.rows["clip"].message = text
    console.print(progress.table(expand=as_json))
    print_errors(console, {"clip": f"clip failed:\n{text}"})


def _print_plan(text: str, console: PipeConsole, as_json: bool) -> None:
    change = PlannedChange(text, Action.UPDATE, 7, {"title": (text, text), "tags": ([text], [])}, reason=text)
    with patch("dagster_project.publish_content.publish", lambda *_, **__: Publication((change,), applied=as_json)):
        show_plan(Path(), console, apply=as_json)


PRINTERS: tuple[Callable[[str, PipeConsole, bool], None], ...] = (
    *(_print_hits, _print_guides, _print_answer, _print_classes, _print_description, _print_recommendations),
    *(_print_quarantine, _print_registry, _print_status, _print_parameters, _print_run, _print_plan),
)


def parameter_files(hostile: Hostile, folder: Path, files: int, found: Counter[str]) -> None:
    """Mutate the project's parameter files, and load each through `heddle params` and the check of all sections."""
    names = ["params.yaml", *(f"scales/{file.name}" for file in sorted((ROOT / "scales").glob("*.yaml")))]
    whole = {name: (ROOT / name).read_text() for name in names}
    for _ in range(files):
        for name, text in whole.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        name = hostile.draw.choice(("params.yaml", "params.yaml", "scales/demo.yaml"))
        text = _mutate_yaml(whole[name], hostile)
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        for read in (lambda: check_parameters(folder, ()), lambda: read_values(None, folder)):
            try:
                read()
            except UserError as error:
                check(".yaml" in str(error), f"no file in {str(error)[:200]!r}")
                check(len(str(error)) < 200_000, f"a message of {len(str(error)):,} characters")
                print_everywhere_once(str(error))
                found["parameter files refused"] += 1
            else:
                found["parameter files accepted"] += 1


def print_everywhere_once(message: str) -> None:
    """Print an error as all commands do."""
    _print_checked = io.StringIO()
    PipeConsole(file=_print_checked).print_line(f"heddle: {message}")
    hidden = {each for each in _print_checked.getvalue() if unicodedata.category(each) in FORBIDDEN}
    check(hidden <= set("\n\t\u200c\u200d"), f"an error printed {hidden!r}")


def _mutate_yaml(text: str, hostile: Hostile) -> str:
    draw = hostile.draw
    lines = text.splitlines()
    for _ in range(draw.choice((1, 1, 2, 5))):
        place = draw.randrange(len(lines))
        key, colon, value = lines[place].partition(": ")
        match draw.randrange(8):
            case 0:
                lines.insert(place, lines[place])
            case 1:
                del lines[place]
                lines = lines or [""]
            case 2:
                lines[place] = f"{key}: {draw.choice(_YAML_VALUES)}"
            case 3:
                lines[place] = f"{key}: {json.dumps(hostile.text()[:500])}"
            case 4:
                lines[place] = lines[place].replace(value, hostile.text()[:500]) if colon else hostile.text()[:500]
            case 5:
                lines[place] = " " * draw.randrange(9) + lines[place].lstrip()
            case 6:
                lines[place] = f"{hostile.text()[:50]}{colon}{value}"
            case _:
                bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
                bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
                lines = [*bomb, *lines, f"{key.strip()}: *a8"]
    return "\n".join(lines) + "\n"


_YAML_VALUES = (
    *("1e999", "-1", "0", ".nan", "9" * 5000, "0x" + "f" * 5000, "2024-02-31", "!!int x", "!!float x", "!!bool x", "~"),
    *("[" * 2000, "[" * 500 + "]" * 500, "{a: b}", "[a, b]", "*unknown", "&a [*a]", "!!binary x", "!!set {a}", "? [a]"),
    *(
        "true",
        '"\\ud800"',
        '"\\e[2J"',
        '"\\0"',
        "'",
        "|",
        "<<: *a",
        "!!python/object/apply:os.system [x]",
        "1: 2",
        "a" * 5000,
    ),
)


def _run(function: Callable[[Stage], Metrics], folder: Path) -> dict[str, Any]:
    output = folder / "data" / function.__name__
    output.mkdir(parents=True)
    with contextlib.redirect_stdout(io.StringIO()), patch("assets.catalog.stage.fetch_images", _fetch):
        return dict(function(Stage(function.__name__, output)))


def _fetch(jobs: Sequence[CrawlJob], collector: Collector, _: object) -> None:
    """Answer the requests for images from the folder, without a network."""
    for job in jobs:
        for url, image in collector.pending_images(job.source).items():
            number = re.search(r"shop\.test/images/(\d+)\.png$", url)
            if number:
                image.set_result(examine_image(Original.whole(Path(f"images/{number[1]}.png")), 1e6))
            else:
                image.set_result(ImageRejection("image_missing", url))


def _write_csv(path: Path, records: list[Record]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        for record in records:
            cells = {key: json.dumps(each) if isinstance(each, list | dict) else each for key, each in record.items()}
            writer.writerow(cells)


def _wxr(records: list[Record]) -> str:
    def cell(value: object) -> str:
        return escape(XML_ILLEGAL.sub("", str(value)))

    items = "".join(
        f"<item><title>{cell(record['title'])}</title><link>{cell(record['url'])}</link>"
        f"<post_id>{cell(record['id'])}</post_id><post_type>post</post_type><status>publish</status>"
        f"<encoded>{cell(record['body'])}&lt;img src='{cell(record['image'])}'&gt;</encoded>"
        f"<category domain='post_tag'>{cell(record['tags'])}</category></item>"
        for record in records
    )
    return f"<?xml version='1.0'?><rss><channel>{items}</channel></rss>"


def _coco_image(number: int, record: Record) -> Record:
    return {
        "id": f"{record['id']} {number}",
        "file_name": record["image"],
        "width": 40,
        "height": 30,
        "x": record["tags"],
    }


def _write_beir(hostile: Hostile, folder: Path, records: list[Record]) -> int:
    (folder / "beir/qrels").mkdir(parents=True, exist_ok=True)
    corpus = [json.dumps({"_id": each["id"], "title": each["title"], "text": each["description"]}) for each in records]
    queries = [json.dumps({"_id": str(number), "text": hostile.text()}) for number in range(20)]
    known = [str(each["id"]) for each in records if str(each["id"]).isdecimal()]
    judged = [hostile.value(id_) for id_ in hostile.draw.sample(known, 20)]
    qrels = [re.sub("[\t\r\n]", " ", f"{number}|{id_}|1").replace("|", "\t") for number, id_ in enumerate(judged)]
    for name, lines in (("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels/test.tsv", qrels)):
        (folder / "beir" / name).write_text("\n".join(lines), "utf-8", "backslashreplace", newline="\n")
    return len(corpus) + len(queries) + len(qrels)


def _project(folder: Path, seed: int) -> None:
    """Write the images and the parameters of a project with five sources."""
    (folder / "images").mkdir()
    pixels = np.random.default_rng(seed)
    for number in range(IMAGES):
        Image.fromarray(pixels.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(folder / f"images/{number}.png")
    fields = ("id", "image", "title", "description", "price", "tags", "url", "body", "item", "objects")
    columns = {field: field for field in fields}
    tables = [
        {"name": suffix, "kind": "table", "path": f"rows.{suffix}", "columns": columns, "contact": "me@shop.test"}
        for suffix in ("csv", "jsonl")
    ]
    sources = [
        *tables,
        {"name": "wxr", "kind": "wxr", "path": "export.xml", "contact": "me@shop.test"},
        {"name": "coco", "kind": "coco", "path": "instances.json", "images": "."},
        {"name": "beir", "kind": "beir", "path": "beir"},
    ]
    bounds = {each.name: 1 for each in EXPECTATIONS}
    (folder / "scales").mkdir()
    (folder / "scales/demo.yaml").write_text("{}\n")
    sections = {"scale": "demo", "seed": seed, "catalog": {"sources": sources}, "validated": {"bounds": bounds}}
    (folder / "params.yaml").write_text(json.dumps(sections))


def main() -> None:
    """Run all targets and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="records, over all sources")
    parser.add_argument("--files", type=int, default=2_000, help="parameter files")
    parser.add_argument("--seed", type=int, default=1, help="random seed: equal seeds give equal inputs")
    told = parser.parse_args()
    found: Counter[str] = Counter()
    for batch in range(-(-told.rows // (5 * BATCH))):
        with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
            _project(Path(name), told.seed)
            run_batch(Hostile(told.seed * 1_000_003 + batch), Path(name), found)
    with tempfile.TemporaryDirectory() as name:
        parameter_files(Hostile(told.seed), Path(name), told.files, found)
    for outcome, times in sorted(found.items()):
        print(f"{outcome:32} {times:9,}")


if __name__ == "__main__":
    main()
