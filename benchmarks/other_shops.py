"""The reranker in shops that it has never seen: ``python benchmarks/other_shops.py [SEED …]``.

Each seed makes another demo shop with guides and questions of its own. Questions that the reranker in ``data/reranker``
was trained, stopped or calibrated on, word for word, are left out. Prints NDCG@10 of reciprocal rank fusion and of the
same, reranked, and how often the first guide is right (no other answers better) in each band of confidence.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from assets.reranker.evaluate.result import Case, Trial, attempt
from demo_shop.shop import Shop
from heddle.core.parameters.section import load
from heddle.core.schemas import read_rows
from heddle.encoders.parameters import IndexParameters
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.paired import paired_difference
from heddle.retrieval.confidence import BANDS, band
from heddle.retrieval.guide_index import GuideIndex, guide_text, guides_schema
from heddle.retrieval.lexical.bm25 import BM25Index
from heddle.retrieval.open_reranker import open_reranker
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.retriever import RetrievalConfig, Retriever
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder

THREADS = 2
WAYS = (RetrievalConfig("rrf"), RetrievalConfig("rrf", rerank=True))


def library_of(shop: Shop, settings: IndexParameters) -> GuideIndex:
    """The shop's guides as stage `index` would index them."""
    rows = sorted((shop.guide_row(guide) for guide in shop.guides), key=lambda row: row["id"])
    said = [guide_text(row) for row in rows]
    encoder = SentenceEncoder.from_pretrained(settings.encoder.name, THREADS, settings.encoder.query_instruction)
    vectors = encoder.documents(said)
    table = pa.Table.from_pylist(
        [row | {"words": guide_text(row), "embedding": vector} for row, vector in zip(rows, vectors, strict=True)],
        guides_schema(vectors.shape[1]),
    )
    return GuideIndex(table, BM25Index.build(said, settings.k1, settings.b), settings.encoder)


def cases_of(shop: Shop, retriever: Retriever, known: set[str]) -> list[Case]:
    """The questions of a shop that are not known."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for row in shop.qrels:
        grades[row["query"]][row["guide"]] = row["relevance"]
    new = {row["text"]: row for row in shop.queries if row["text"] not in known}
    return [Case(row["id"], retriever.question(text), grades[row["id"]]) for text, row in sorted(new.items())]


def main(seeds: list[int]) -> None:
    """Ask every shop, and print."""
    settings = load("index", IndexParameters, Path())
    known = {row["text"] for row in read_rows(Path("data/validated/queries.parquet"))}
    reranker = open_reranker(Path("data/reranker"), THREADS)
    trials: dict[RetrievalConfig, list[Trial]] = {way: [] for way in WAYS}
    for seed in seeds:
        shop = Shop(seed)
        retriever = Retriever(
            library_of(shop, settings), load("retrieval", RetrievalParameters, Path()), reranker, THREADS
        )
        cases = cases_of(shop, retriever, known)
        for way in WAYS:
            trials[way].append(attempt(retriever, way, cases))
    _print(trials, load("retrieval", RetrievalParameters, Path()))


def _print(trials: dict[RetrievalConfig, list[Trial]], parameters: RetrievalParameters) -> None:
    table = Table("way", "questions", "NDCG@10", *(f"right, {name}" for name in BANDS))
    values = {way: np.concatenate([trial.measures["ndcg_at_10"] for trial in found]) for way, found in trials.items()}
    for way, found in trials.items():
        right = np.concatenate([trial.right for trial in found])
        inside = np.array([band(sure, parameters.bands) for trial in found for sure in trial.confidences])
        shares = [
            f"{right[inside == name].mean():.3f} of {(inside == name).sum()}"
            for name in BANDS
            if (inside == name).any()
        ]
        table.add_row(way.name, str(len(right)), f"{values[way].mean():.3f}", *shares)
    Console().print(table)
    over = paired_difference(values[WAYS[1]], values[WAYS[0]], BootstrapParameters(), 1)
    Console().print(f"reranked over {WAYS[0].name}: {over.mean:+.3f} ({over.low:+.3f} to {over.high:+.3f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3], help="of the shops")
    main(parser.parse_args().seeds)
