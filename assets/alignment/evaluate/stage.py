"""Judge the aligned spaces on the test split: each asked in each other, and products asked for with images.

Each different member of a space is asked once: an image, a caption, a place in the graph, which is one for all
listings with the same neighbours. Right are all members of the other space that a test listing has beside it.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from assets.alignment.embedding_spaces.embedding_spaces import Encoders, Spaces
from assets.alignment.evaluate.cross_modal_retrieval import MEASURES, K, Values, ceilings, chances, measured, question
from assets.alignment.evaluate.image_nodes import Seen
from assets.alignment.evaluate.image_products import product_values
from assets.alignment.train.parameters import AlignmentParameters
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import read_seed
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage
from heddle.core.vectors import matrix
from heddle.evaluation.parameters import BootstrapParameters
from heddle.graph.tables import NODES_FILE, CatalogGraph
from heddle.metrics.bootstrap import ConfidenceInterval, flat
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.alignment.config import Space

COLUMNS = ("way", "from", "to", "measure", "value", "low", "high", "chance")
ALIGNED, UNALIGNED, BY_CLASSES = "aligned", "random projections", "classes"
PRODUCTS = "products"

Embeddings = Mapping[Space, NDArray[np.float32]]
Row = tuple[object, ...]


def alignment_evaluation(stage: Stage) -> Metrics:
    """Project the test listings, ask every space in every other, measure, write the table."""
    reason, held_out = skip_reason(stage.input("alignment")), None
    if not reason:
        encoders = Encoders(stage, stage.parameters(AlignmentParameters, "alignment").spaces)
        held_out = encoders.read("test")
        if len(held_out.samples) < 2:
            reason = (
                f"data/shards/test: {len(held_out.samples)} listings have {' and '.join(encoders.spaces)}, at least 2 "
                "are needed; bring more listings or raise split.test"
            )
    if reason or held_out is None:
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, str(reason))
        return {"test_listings": 0}
    return {"test_listings": len(held_out.samples), "test_listings_left_out": held_out.left_out} | _judged(
        stage, encoders, held_out
    )


def _judged(stage: Stage, encoders: Encoders, held_out: Spaces) -> dict[str, float]:
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    network = Alignment.from_pretrained(stage.input("alignment"))
    ways = {ALIGNED: network, UNALIGNED: _unaligned(network)}
    found = {way: one.embed(held_out.vectors) for way, one in ways.items()}
    seen = Seen.by(encoders, held_out) if {"image", "graph"} <= set(encoders.spaces) else None
    rows: list[Row] = []
    numbers: dict[str, float] = {}
    for asked, answering in permutations(network.spaces, 2):
        stage.progress(f"{asked} to {answering}")
        told, made = _direction(found, held_out, (asked, answering), seen, sure)
        numbers |= told
        rows += made
    if seen is not None:
        told, made = _products(stage, encoders, held_out, ways[ALIGNED], seen, sure)
        numbers |= told
        rows += made
    (stage.output / "plots").mkdir()
    write_csv(stage.output / "plots" / "retrieval.csv", COLUMNS, rows)
    return numbers


def _unaligned(network: Alignment) -> Alignment:
    """The same network with its first weights: it standardises as the trained one does, on the train split."""
    torch.manual_seed(read_seed())
    first = Alignment(network.config)
    first.load_state_dict(dict(network.named_buffers()), strict=False)
    return first.eval()


def _direction(
    found: Mapping[str, Embeddings],
    held_out: Spaces,
    ends: tuple[Space, Space],
    seen: Seen | None,
    sure: ConfidenceInterval,
) -> tuple[dict[str, float], list[Row]]:
    """One space asked in another by every way."""
    asked, answering = ends
    posed = question(held_out.kinds[asked], held_out.kinds[answering])
    scores = {way: _cosines(one[asked][posed.asking], one[answering][posed.answers]) for way, one in found.items()}
    if seen is not None and ends == ("image", "graph"):
        scores[BY_CLASSES] = seen.log_likelihoods([held_out.named[row] for row in posed.answers])[posed.asking]
    values = {way: measured(each, posed.right) for way, each in scores.items()}
    chance, best = chances(posed.right, len(posed.answers)), ceilings(posed.right)
    name = f"{asked}_to_{answering}"
    numbers: dict[str, float] = {f"{name}_queries": len(posed.asking), f"{name}_candidates": len(posed.answers)}
    for measure in MEASURES:
        numbers |= _sure(sure, f"{name}_{measure}", values[ALIGNED][measure])
        numbers[f"{name}_{measure}_chance"] = chance[measure]
        if best.get(measure, 1) < 1:
            numbers[f"{name}_{measure}_ceiling"] = best[measure]
    if BY_CLASSES in values:
        for measure in MEASURES:
            numbers |= _sure(sure, f"{name}_by_classes_{measure}", values[BY_CLASSES][measure])
    return numbers, _rows(values, asked, answering, chance, sure)


def _products(
    stage: Stage, encoders: Encoders, held_out: Spaces, network: Alignment, seen: Seen, sure: ConfidenceInterval
) -> tuple[dict[str, float], list[Row]]:
    """What an image's item and material can become, as far as test edges alone say so."""
    stage.progress("image to products")
    graph = CatalogGraph.open(stage.input("graph"))
    embeddings = matrix(pq.read_table(stage.input("recommender") / NODES_FILE), "embedding")
    known = list(encoders.places)
    images = network.embed({"image": held_out.vectors["image"]})["image"]
    places = network.embed({"graph": np.stack([encoders.places[one] for one in known])})["graph"]
    nearest = [known[place] for place in (images @ places.T).argmax(axis=1)]
    ways = {ALIGNED: nearest, BY_CLASSES: seen.likeliest(), "labels": list(held_out.named)}
    values, chance = product_values(graph, embeddings, held_out.named, ways)
    if not values:
        stage.progress("no test edge says what a test listing can become: products are not measured")
        return {"image_to_products_queries": 0}, []
    measure = f"ndcg_at_{K}"
    numbers: dict[str, float] = {"image_to_products_queries": len(values[ALIGNED][measure])}
    for way, key in ((ALIGNED, ""), (BY_CLASSES, "by_classes_"), ("labels", "by_labels_")):
        numbers |= _sure(sure, f"image_to_products_{key}{measure}", values[way][measure])
    numbers[f"image_to_products_{measure}_chance"] = chance[measure]
    return numbers, _rows(values, "image", PRODUCTS, chance, sure)


def _rows(
    values: Mapping[str, Values], asked: str, answering: str, chance: Mapping[str, float], sure: ConfidenceInterval
) -> list[Row]:
    rows: list[Row] = []
    for way, by_measure in values.items():
        for measure in MEASURES:
            told = _sure(sure, "value", by_measure[measure])
            numbers = (told["value"], told["value_low"], told["value_high"], chance[measure])
            rows.append((way, asked, answering, measure, *(f"{number:.6f}" for number in numbers)))
    return rows


def _sure(sure: ConfidenceInterval, name: str, values: NDArray[np.float64]) -> dict[str, float]:
    return flat(name, sure(float(values.mean()), values))


def _cosines(queries: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.float64]:
    return (queries @ candidates.T).astype(np.float64)
