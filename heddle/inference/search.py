"""Search listings by image-text similarity or keywords, and guides as section `retrieval` configures it.

Reads only ``data/index``, ``data/clip`` and ``data/reranker``; needs no server.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from heddle.core.errors import UserError
from heddle.core.schemas import read_table
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA
from heddle.core.vectors import matrix
from heddle.images.image_file import read_image
from heddle.images.resize import ImageDecodeError

if TYPE_CHECKING:
    from heddle.retrieval.config import RetrievalConfig
    from heddle.retrieval.retriever import GuideSearchResult

ListingMode = Literal["dense", "bm25"]
"""Compare the query with the images of the listings (image-text similarity), or with their words (BM25)."""

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")


class SearchError(UserError):
    """The search is impossible; the message contains the reason and what to do."""


@dataclass(frozen=True)
class ListingHit:
    """A listing found for a query.

    Attributes:
        score: cosine in [-1, 1], or BM25 from 0 up; larger is better.
        id: of the listing.
        title: may be empty.
        url: page of the listing; None if unknown.
        item: label; None if unknown.
        material: label; None if unknown.
        price: in the currency of the shop; None if unknown.
    """

    score: float
    id: str
    title: str
    url: str | None
    item: str | None
    material: str | None
    price: float | None


class ListingIndex:
    """The listings in memory. Opening takes seconds, a query milliseconds.

    Args:
        data: folder that contains ``index`` and ``clip``.

    Raises:
        SearchError: the index is missing or contains no listing.
    """

    def __init__(self, data: Path = DATA) -> None:
        self._model = data / "clip"
        self._bm25_folder = data / "index" / "bm25"
        file = data / "index" / "listings.parquet"
        if not file.is_file():
            raise SearchError(f"{file} is missing: run `heddle run` or `dvc repro index` first")
        self._table = read_table(file)
        if not self._table.num_rows:
            raise SearchError(
                f"{file} contains no listings: add a source of listings to `catalog`, or search the guides "
                "(`heddle search --in guides`)"
            )

    def __len__(self) -> int:
        return self._table.num_rows

    def by_text(self, text: str, top_k: int = 10, mode: ListingMode = "dense") -> list[ListingHit]:
        """The listings whose images are most similar to the text, or that contain its words.

        Raises:
            SearchError: the text is empty, or `top_k` is not positive.
        """
        if not text.strip():
            raise SearchError("the query is empty: write some words, or the path of an image")
        if mode == "bm25":
            return self._best(self._bm25.scores(text), top_k, threshold=0.0)
        return self._best(self._images @ self._encoder.texts([text])[0], top_k)

    def by_image(self, path: Path, top_k: int = 10) -> list[ListingHit]:
        """The listings whose images are most similar to an image.

        Raises:
            SearchError: the file is missing or is not an image, or `top_k` is not positive.
        """
        config = self._encoder.config
        try:
            square = read_image(path, config.image_size, config.resize_mode)
        except ImageDecodeError as error:
            raise SearchError(str(error)) from error
        return self._best(self._images @ self._encoder.images([square])[0], top_k)

    def _best(self, scores: np.ndarray, top_k: int, threshold: float | None = None) -> list[ListingHit]:
        if top_k < 1:
            raise SearchError(f"the number of hits must be at least 1, found {top_k}")
        order = np.argsort(-scores, kind="stable")[:top_k]  # stable: equal scores stay in the order of ids
        if threshold is not None:
            order = order[scores[order] > threshold]
        rows = self._table.select(["id", "title", "url", "item", "material", "price"]).take(order).to_pylist()
        return [
            ListingHit(**(row | {"score": float(scores[index]), "title": row["title"] or ""}))
            for index, row in zip(order, rows, strict=True)
        ]

    @cached_property
    def _images(self) -> np.ndarray:
        return matrix(self._table, "image_embedding")

    @cached_property
    def _bm25(self) -> Any:
        from heddle.retrieval.lexical.bm25 import BM25Index  # imported here, so that each mode loads only what it needs

        try:
            return BM25Index.load(self._bm25_folder)
        except FileNotFoundError as error:
            raise SearchError(f"{self._bm25_folder} is incomplete ({error}): run `dvc repro index`") from error

    @cached_property
    def _encoder(self) -> Any:
        from lightning_modules.clip.encoder import ClipEncoder  # torch takes seconds to import; BM25 does not need it

        if reason := skip_reason(self._model):
            raise SearchError(f"there is no dual encoder ({reason}): search by keywords with `--mode bm25`")
        missing = [name for name in MODEL_FILES if not (self._model / name).is_file()]
        if missing:
            raise SearchError(f"{self._model} lacks {', '.join(missing)}: run `heddle run` or `dvc repro clip` first")
        encoder = ClipEncoder.from_pretrained(self._model, threads=os.cpu_count() or 1)
        if encoder.config.projection_dim != self._images.shape[1]:
            raise SearchError(
                f"data/index: its vectors have {self._images.shape[1]} dimensions, the model in {self._model} has "
                f"{encoder.config.projection_dim}: run `dvc repro index`"
            )
        return encoder


def search_listings(
    text: str | None = None,
    image: Path | None = None,
    top_k: int = 10,
    mode: ListingMode = "dense",
    data: Path = DATA,
) -> list[ListingHit]:
    """Search the listings by `text` or by `image`, exactly one of them. The best hit comes first.

    Raises:
        SearchError: the query is empty or unreadable, or the index is missing.
    """
    if (text is None) == (image is None):
        raise SearchError("search by text or by image: exactly one of them is needed")
    if image is not None:
        if mode == "bm25":
            raise SearchError("an image has no keywords: mode bm25 needs a text")
        return ListingIndex(data).by_image(image, top_k)
    return ListingIndex(data).by_text(text or "", top_k, mode)


def search_guides(query: str, config: "RetrievalConfig", top_k: int = 10, data: Path = DATA) -> "GuideSearchResult":
    """Search the guides, with section `retrieval` of the parameters. The best hit comes first.

    Raises:
        SearchError: the query contains no word (no letter and no digit of any script), or the index or a model that
            `config` needs is missing.
        ParameterError: the section is invalid.
    """
    if query.strip() and not any(character.isalnum() for character in query):
        raise SearchError(f"{query!r} contains no word: write a question or some keywords")
    # Imported here, as a search of the listings does not need it.
    from heddle.core.parameters.section import load
    from heddle.retrieval.config import RetrievalError
    from heddle.retrieval.open_reranker import open_reranker
    from heddle.retrieval.parameters import RetrievalParameters
    from heddle.retrieval.retriever import Retriever

    if config.rerank and (reason := skip_reason(data / "reranker")):
        raise SearchError(f"there is no reranker: {reason}; search without `--rerank`")
    parameters = load("retrieval", RetrievalParameters, data.parent)
    try:
        reranker = open_reranker(data / "reranker", os.cpu_count() or 1) if config.rerank else None
        return Retriever.open(data, parameters, reranker).search(query, config, top_k)
    except RetrievalError as error:
        raise SearchError(str(error)) from error
