"""Query a project without pause while it is trained anew: ``python benchmarks/reader_loop.py --project FOLDER``.

FOLDER is a clone of the project in which `heddle run` has completed, at a small scale; it is changed. Readers, each a
process, load everything again for every query: listings by similarity and by words, guides with the reranker, an
answer, the content of an image, and both collections of the published index. Their first and last round, and every
tenth, run the `heddle` commands themselves. They go on during a whole run with another seed, and during a run with yet
another seed in which one stage fails. A query fails if it raises an exception or its command exits with another code
than 0; an answer that no guide is good enough is none. Failures are listed with the time and the stages then at work.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console

COMMAND_EVERY = 10  # rounds
IMAGE = Path("reader_loop.png")
WORDS = "a red wooden chair"
QUESTION = "How do I care for a wooden chair?"
BREAK = '\nraise ValueError("fails on purpose")\n'


@dataclass(frozen=True)
class Query:
    """A query and its end.

    Attributes:
        name: what was asked.
        phase: retrained or failed.
        seconds: since the phase began.
        error: None if it succeeded.
        working: stages that were at work when it ended.
    """

    name: str
    phase: str
    seconds: float
    error: str | None
    working: tuple[str, ...]


def listings() -> None:
    """Both modes of the search of listings."""
    from heddle.inference.search import search_listings

    assert search_listings(WORDS)
    search_listings(WORDS, mode="bm25")


def guides() -> None:
    """The search of guides, with and without the reranker."""
    from heddle.inference.search import search_guides
    from heddle.retrieval.config import RetrievalConfig

    search_guides(QUESTION, RetrievalConfig(rerank=True))
    assert search_guides(QUESTION, RetrievalConfig()).hits


def answer() -> None:
    """An answer."""
    from heddle.inference.ask import ask

    ask(QUESTION)


def content() -> None:
    """The content of an image."""
    from heddle.description.user_inputs import UserInputs
    from heddle.inference.describe import describe, open_describer

    describe(IMAGE, UserInputs(None, {}), open_describer())


def published() -> None:
    """A search in each collection of the published index."""
    from heddle.stores.lance import LanceStore
    from heddle.stores.store import StoreQuery

    with LanceStore(Path("data/published_index")) as store:
        for name in ("listings", "guides"):
            assert store.count(name)
            store.search(name, StoreQuery("wooden chair"))


def command(*arguments: str) -> Callable[[], None]:
    """A `heddle` command."""

    def run() -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "heddle.cli", *arguments], capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise RuntimeError(f"exit code {ended.returncode}: {ended.stderr[-300:]}")

    return run


QUERIES = {
    "search listings": listings,
    "search guides": guides,
    "ask": answer,
    "describe": content,
    "published index": published,
}
COMMANDS = {
    "heddle search": command("search", WORDS),
    "heddle ask": command("ask", QUESTION),
    "heddle describe": command("describe", str(IMAGE)),
}


def working() -> tuple[str, ...]:
    """Stages that have a temporary folder."""
    return tuple(sorted({path.name.split(".")[1] for path in Path("data").glob(".*.*") if path.is_dir()}))


def read(phase: str, ended: Event, queries: Any) -> None:
    """A reader: ask until the run has ended, and a last time after it. Each query is printed as a line of JSON."""
    started, rounds, is_last = time.monotonic(), 0, False
    while not is_last:
        is_last = ended.is_set()
        asked = COMMANDS if rounds % COMMAND_EVERY == 0 or is_last else QUERIES
        for name, ask in asked.items():
            error = None
            try:
                ask()
            except Exception as raised:  # noqa: BLE001 - any failure of a query is what is looked for
                error = f"{type(raised).__name__}: {raised}"
            query = Query(name, phase, round(time.monotonic() - started, 1), error, working())
            queries.put(query)
            print(json.dumps(asdict(query)), flush=True)
        rounds += 1


def read_during(phase: str, count: int, log: Path) -> tuple[list[Query], int]:
    """Run the project beside the readers. Returns their queries and the exit code of the run."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        queries, ended = manager.Queue(), manager.Event()
        readers = [context.Process(target=read, args=(phase, ended, queries)) for _ in range(count)]
        for reader in readers:
            reader.start()
        with log.open("w") as output:
            arguments = [sys.executable, "-m", "heddle.cli", "run"]
            code = subprocess.run(arguments, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
        ended.set()
        for reader in readers:
            reader.join()
        return [queries.get() for _ in range(queries.qsize())], code


def change_seed() -> None:
    """Make every stage that trains stale."""
    file = Path("params.yaml")
    file.write_text(re.sub(r"(?m)^seed: (\d+)", lambda match: f"seed: {int(match[1]) + 1}", file.read_text()))


def show(queries: list[Query], console: Console) -> None:
    """Print counts and failures."""
    asked, failed = Counter(query.name for query in queries), Counter(query.name for query in queries if query.error)
    for name, count in sorted(asked.items()):
        console.print(f"  {name}: {count} queries, {failed[name]} failed")
    for query in queries:
        if query.error:
            stages = ", ".join(query.working) or "no stage"
            console.print(f"  {query.seconds} s, {query.name}, beside {stages}: {query.error}", markup=False)


def main() -> None:
    """Run both phases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="completed clone; it is changed")
    parser.add_argument("--phases", nargs="+", choices=["retrained", "failed"], default=["retrained", "failed"])
    parser.add_argument("--failing", default="assets/index/stage.py", help="file of the stage that is made to fail")
    parser.add_argument("--readers", type=int, default=2, help="number of processes that query")
    parser.add_argument("--json", type=Path, help="file to write the queries to")
    options, console = parser.parse_args(), Console()
    file = options.json.resolve() if options.json else None
    root = options.project.resolve()
    os.chdir(root)
    os.environ["PYTHONPATH"] = str(root)  # of the run and the readers
    Image.new("RGB", (96, 96), "firebrick").save(IMAGE)
    queries: list[Query] = []
    for phase in options.phases:
        change_seed()
        code_file = Path(options.failing)
        code = code_file.read_text()
        if phase == "failed":
            code_file.write_text(code + BREAK)
        try:
            found, exit_code = read_during(phase, options.readers, Path(f"reader_loop_{phase}.txt"))
        finally:
            code_file.write_text(code)
        console.print(f"{phase}: `heddle run` exited with {exit_code}; {len(found)} queries")
        show(found, console)
        queries += found
        if file:
            file.write_text(json.dumps([asdict(query) for query in queries], indent=2) + "\n")
    sys.exit(any(query.error for query in queries))


if __name__ == "__main__":
    main()
