"""Search the listings, by words or by an image, in the space of the dual encoder or word for word; or the guides.

Reads ``data/index``, ``data/clip`` and ``data/reranker`` and nothing else; needs no server.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow.parquet as pq

from heddle.core.errors import UserError
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA
from heddle.core.vectors import matrix
from heddle.images.image_file import read_image
from heddle.images.resize import ImageDecodeError

if TYPE_CHECKING:
    from heddle.retrieval.retriever import Answer, RetrievalConfig

Mode = Literal["images", "words"]
"""Compare a query with the listings' images by meaning, or with their words letter by letter (BM25)."""

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")


class SearchError(UserError):
    """The search cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Hit:
    """A listing that answers a query.

    Attributes:
        score: cosine in [-1, 1], or BM25 from 0 up; larger is better.
        id: the listing's.
        title: maybe empty.
        url: page that a person would open; None where the source tells none.
        item: label; None where unknown.
        material: label; None where unknown.
        price: in the shop's currency; None where none is asked.
    """

    score: float
    id: str
    title: str
    url: str | None
    item: str | None
    material: str | None
    price: float | None


class Index:
    """An opened index. Opening costs seconds, a query milliseconds.

    Args:
        data: folder that holds ``index`` and ``clip``.

    Raises:
        SearchError: there is no index, or no listing in it.
    """

    def __init__(self, data: Path = DATA) -> None:
        self._model = data / "clip"
        self._words = data / "index" / "bm25"
        file = data / "index" / "listings.parquet"
        if not file.is_file():
            raise SearchError(f"{file} is missing: run `heddle run` or `dvc repro index` first")
        self._table = pq.read_table(file)
        if not self._table.num_rows:
            raise SearchError(f"{file} holds no listings: bring some in `catalog`, or search the guides with --guides")

    def __len__(self) -> int:
        return self._table.num_rows

    def by_text(self, text: str, top: int = 10, mode: Mode = "images") -> list[Hit]:
        """The listings whose images show what the text says, or that use its words.

        Raises:
            SearchError: the text is empty, or `top` is not positive.
        """
        if not text.strip():
            raise SearchError("the query is empty: give some words or the path of an image")
        if mode == "words":
            return self._best(self._word_index.scores(text), top, least=0.0)
        return self._best(self._images @ self._encoder.texts([text])[0], top)

    def by_image(self, path: Path, top: int = 10) -> list[Hit]:
        """The listings whose images look like this one.

        Raises:
            SearchError: the file is missing or no image, or `top` is not positive.
        """
        config = self._encoder.config
        try:
            square = read_image(path, config.image_size, config.resize_mode)
        except ImageDecodeError as error:
            raise SearchError(str(error)) from error
        return self._best(self._images @ self._encoder.images([square])[0], top)

    def _best(self, scores: np.ndarray, top: int, least: float | None = None) -> list[Hit]:
        if top < 1:
            raise SearchError(f"the number of hits must be positive, found {top}")
        order = np.argsort(-scores, kind="stable")[:top]  # stable: equal scores stay in the order of ids
        if least is not None:
            order = order[scores[order] > least]
        rows = self._table.select(["id", "title", "url", "item", "material", "price"]).take(order).to_pylist()
        return [Hit(score=float(scores[place]), **_titled(row)) for place, row in zip(order, rows, strict=True)]

    @cached_property
    def _images(self) -> np.ndarray:
        return matrix(self._table, "image_embedding")

    @cached_property
    def _word_index(self) -> Any:
        from heddle.retrieval.lexical.bm25 import WordIndex  # here, so that each mode loads only what it needs

        try:
            return WordIndex.load(self._words)
        except FileNotFoundError as error:
            raise SearchError(f"{self._words} is incomplete ({error}): run `dvc repro index`") from error

    @cached_property
    def _encoder(self) -> Any:
        from lightning_modules.clip.encoder import ClipEncoder  # torch takes seconds to import; words do not need it

        if reason := skip_reason(self._model):
            raise SearchError(f"there is no dual encoder ({reason}): search the listings' words with --words")
        missing = [name for name in MODEL_FILES if not (self._model / name).is_file()]
        if missing:
            raise SearchError(f"{self._model} lacks {', '.join(missing)}: run `heddle run` or `dvc repro clip` first")
        encoder = ClipEncoder.from_pretrained(self._model, threads=os.cpu_count() or 1)
        if encoder.config.projection_dim != self._images.shape[1]:
            raise SearchError(f"data/index was not made by the model in {self._model}: run `dvc repro index`")
        return encoder


def search(
    text: str | None = None, image: Path | None = None, top: int = 10, mode: Mode = "images", data: Path = DATA
) -> list[Hit]:
    """One query: by `text` or by `image`, exactly one of them. Best hit first.

    Raises:
        SearchError: the query is empty or unreadable, or there is no index.
    """
    if (text is None) == (image is None):
        raise SearchError("give either words or an image")
    if image is not None:
        if mode == "words":
            raise SearchError("an image cannot be looked up word for word")
        return Index(data).by_image(image, top)
    return Index(data).by_text(text or "", top, mode)


def search_guides(query: str, way: "RetrievalConfig", top: int = 10, data: Path = DATA) -> "Answer":
    """The guides that answer a question, best first, found as section `retrieval` of the parameters says.

    Raises:
        SearchError: the question is empty, or what the way of looking needs is not there.
        ParameterError: the section is wrong.
    """
    from heddle.core.parameters.section import load
    from heddle.retrieval.parameters import RetrievalParameters  # here, as listings need none of this
    from heddle.retrieval.reranking import open_reranker
    from heddle.retrieval.retriever import RetrievalError, Retriever

    if way.rerank and (reason := skip_reason(data / "reranker")):
        raise SearchError(f"there is no reranker: {reason}; without --rerank guides are found all the same")
    parameters = load("retrieval", RetrievalParameters, data.parent)
    try:
        reranker = open_reranker(data / "reranker", os.cpu_count() or 1) if way.rerank else None
        return Retriever.open(data, parameters, reranker).answer(query, way, top)
    except RetrievalError as error:
        raise SearchError(str(error)) from error


def _titled(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"title": row["title"] or ""}
