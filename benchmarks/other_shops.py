"""Evaluate the reranker on other demo shops: ``python benchmarks/other_shops.py [SEED …]``.

Each seed generates a demo shop with its own guides and queries. Queries whose text is in the data of the reranker in
``data/reranker`` are skipped. Prints NDCG@10 of reciprocal rank fusion without and with reranking, and the accuracy of
the first hit in each confidence band.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from assets.reranker.evaluate.result import HEADLINE, JudgedQuery, RetrievalResult, evaluate_config
from demo_shop.shop import Shop
from heddle.core.parameters.section import load
from heddle.core.schemas import read_rows
from heddle.encoders.parameters import IndexParameters
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.paired import paired_difference
from heddle.retrieval.confidence import BANDS, band
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.guide_index import GuideIndex, guide_text, guides_schema
from heddle.retrieval.lexical.bm25 import BM25Index
from heddle.retrieval.open_reranker import open_reranker
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.retriever import Retriever
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder

THREADS = 2
CONFIGS = (RetrievalConfig("rrf"), RetrievalConfig("rrf", rerank=True))


def build_index(shop: Shop, settings: IndexParameters) -> GuideIndex:
    """Index the guides of a shop as stage `index` does."""
    rows = sorted((shop.guide_row(guide) for guide in shop.guides), key=lambda row: row["id"])
    texts = [guide_text(row) for row in rows]
    encoder = SentenceEncoder.from_pretrained(settings.encoder.name, THREADS, settings.encoder.query_instruction)
    vectors = encoder.documents(texts)
    table = pa.Table.from_pylist(
        [
            row | {"search_text": guide_text(row), "embedding": vector}
            for row, vector in zip(rows, vectors, strict=True)
        ],
        guides_schema(vectors.shape[1]),
    )
    return GuideIndex(table, BM25Index.build(texts, settings.k1, settings.b), settings.encoder)


def judged_queries(shop: Shop, retriever: Retriever, known: set[str]) -> list[JudgedQuery]:
    """The queries of a shop whose text is not known."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for row in shop.qrels:
        grades[row["query"]][row["guide"]] = row["relevance"]
    new = {row["text"]: row for row in shop.queries if row["text"] not in known}
    return [JudgedQuery(row["id"], retriever.encode(text), grades[row["id"]]) for text, row in sorted(new.items())]


def main(seeds: list[int]) -> None:
    """Evaluate on every shop and print."""
    settings = load("index", IndexParameters, Path())
    known = {row["text"] for row in read_rows(Path("data/validated/queries.parquet"))}
    reranker = open_reranker(Path("data/reranker"), THREADS)
    results: dict[RetrievalConfig, list[RetrievalResult]] = {config: [] for config in CONFIGS}
    for seed in seeds:
        shop = Shop(seed)
        retriever = Retriever(
            build_index(shop, settings), load("retrieval", RetrievalParameters, Path()), reranker, THREADS
        )
        queries = judged_queries(shop, retriever, known)
        for config in CONFIGS:
            results[config].append(evaluate_config(retriever, config, queries))
    _print(results, load("retrieval", RetrievalParameters, Path()))


def _print(results: dict[RetrievalConfig, list[RetrievalResult]], parameters: RetrievalParameters) -> None:
    table = Table("config", "queries", "NDCG@10", *(f"accuracy, {name} confidence" for name in BANDS))
    values = {
        config: np.concatenate([result.metrics[HEADLINE] for result in shops]) for config, shops in results.items()
    }
    for config, shops in results.items():
        correct = np.concatenate([result.correct for result in shops])
        bands = np.array([band(value, parameters.bands) for result in shops for value in result.confidences])
        shares = [
            f"{correct[bands == name].mean():.3f} of {(bands == name).sum()}" for name in BANDS if (bands == name).any()
        ]
        table.add_row(config.name, str(len(correct)), f"{values[config].mean():.3f}", *shares)
    Console().print(table)
    delta = paired_difference(values[CONFIGS[1]], values[CONFIGS[0]], BootstrapParameters(), 1)
    Console().print(
        f"{CONFIGS[1].name}, delta vs {CONFIGS[0].name}: {delta.mean:+.3f} ({delta.low:+.3f} to {delta.high:+.3f})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3], help="seeds of the shops")
    main(parser.parse_args().seeds)
