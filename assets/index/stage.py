"""Index listings and guides for search: vectors, BM25 over their texts, and thumbnails of the listings.

A catalogue may contain only listings or only guides; the table of the others is then empty. Without a dual encoder the
vectors of the listings are zeros, and only BM25 finds them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from heddle.core.listing_text import all_texts, caption, captions, has_caption
from heddle.core.parameters.shared import Compute, Split
from heddle.core.schemas import read_rows, write_table
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of_listing
from heddle.core.stage import Metrics, Stage, StageError
from heddle.core.vectors import NO_VECTORS
from heddle.encoders.parameters import IndexParameters
from heddle.encoders.text_encoder import load_sentence_encoder
from heddle.images.originals import Original, find_originals
from heddle.images.resize import ImageDecodeError, decode, encode_jpeg, fit
from heddle.retrieval.guide_index import guide_text, write_empty_guide_index, write_guide_index
from heddle.retrieval.lexical.bm25 import BM25Index
from lightning_modules.clip.encoder import ClipEncoder

CHUNK = 512
"""Listings whose images are in memory at once. A multiple of the batch of the encoder, so it changes no vector."""
THUMBNAIL_QUALITY = 82
"""JPEG quality: small files without visible blocks."""


def index(stage: Stage) -> Metrics:
    """Embed and index every accepted listing of all splits, and every guide."""
    parameters = stage.parameters(IndexParameters)
    threads = stage.parameters(Compute, "compute").threads
    listings = [row for row in read_rows(stage.input("validated") / "listings.parquet") if row["image"]]
    guides = read_rows(stage.input("validated") / "guides.parquet")
    if not listings and not guides:
        raise StageError(
            "data/validated contains neither a listing with an image nor a guide: add a source to `catalog`"
        )
    return _index_listings(stage, listings, parameters, threads) | _index_guides(stage, guides, parameters, threads)


def _index_listings(
    stage: Stage, listings: Sequence[dict[str, Any]], parameters: IndexParameters, threads: int
) -> dict[str, int]:
    if not listings:
        write_table(stage.output / "listings.parquet", [], index_schema(NO_VECTORS))
        return {"listings": 0, "listings_without_text": 0, "embedding_dim": 0, "vocab_size": 0}
    split = stage.parameters(Split, "split")
    encoder = _dual_encoder(stage, threads)
    originals = find_originals(stage.input("catalog"))
    rows: list[dict[str, Any]] = []
    for start in range(0, len(listings), CHUNK):
        chunk = listings[start : start + CHUNK]
        rows += _rows(chunk, originals, encoder, parameters.thumbnail)
        stage.progress("listings embedded" if encoder else "listings indexed without vectors", len(rows), len(listings))
    for row in rows:
        row["split"] = split_of_listing(row, split)
    write_table(
        stage.output / "listings.parquet", rows, index_schema(encoder.config.projection_dim if encoder else NO_VECTORS)
    )
    bm25 = BM25Index.build([row["search_text"] for row in rows], parameters.k1, parameters.b)
    bm25.save(stage.output / "bm25")
    return {
        "listings": len(rows),
        "listings_without_text": sum(not row["search_text"] for row in rows),
        "embedding_dim": encoder.config.projection_dim if encoder else 0,
        "vocab_size": bm25.vocab_size,
    }


def _index_guides(
    stage: Stage, guides: Sequence[dict[str, Any]], parameters: IndexParameters, threads: int
) -> dict[str, int]:
    """Without guides, write an empty table; no sentence encoder is loaded then."""
    if not guides:
        write_empty_guide_index(stage.output)
        return {"guides": 0, "guides_truncated": 0, "guide_embedding_dim": 0, "guide_vocab_size": 0}
    stage.progress(f"embedding {len(guides)} guides with {parameters.encoder.name}")
    encoder = load_sentence_encoder(parameters.encoder, threads)
    texts = [guide_text(guide) for guide in guides]
    bm25 = BM25Index.build(texts, parameters.k1, parameters.b)
    write_guide_index(stage.output, guides, encoder.documents(texts), parameters.encoder, bm25)
    truncated = encoder.count_truncated(texts)
    if truncated:
        stage.progress(
            f"{truncated} guides are longer than the {encoder.context} tokens that {parameters.encoder.name} reads"
        )
    return {
        "guides": len(guides),
        "guides_truncated": truncated,
        "guide_embedding_dim": encoder.dimensions,
        "guide_vocab_size": bm25.vocab_size,
    }


def _dual_encoder(stage: Stage, threads: int) -> ClipEncoder | None:
    reason = skip_reason(stage.input("clip"))
    if reason:
        stage.progress(f"listings get no vectors: {reason}")
        return None
    return ClipEncoder.from_pretrained(stage.input("clip"), threads)


def index_schema(dimensions: int) -> pa.Schema:
    """Columns of listings.parquet; LanceDB and Weaviate import the vectors unchanged."""
    vector = pa.list_(pa.float32(), dimensions)
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("split", pa.string(), nullable=False),  # train, validation or test
            pa.field("url", pa.string()),  # page of the listing
            pa.field("title", pa.string()),
            pa.field("text", pa.string()),  # text of text_embedding; null without one
            pa.field("search_text", pa.string(), nullable=False),  # all texts, for BM25; may be empty
            pa.field("item", pa.string()),
            pa.field("material", pa.string()),
            pa.field("bin", pa.string()),
            pa.field("product_class", pa.string()),
            pa.field("price", pa.float64()),
            pa.field("licence", pa.string()),
            pa.field("image_embedding", vector, nullable=False),  # unit length; zeros without an encoder
            pa.field("text_embedding", vector, nullable=False),  # unit length; zeros without an encoder or a text
            pa.field("thumbnail", pa.binary(), nullable=False),  # JPEG
        ]
    )


def _rows(
    listings: Sequence[dict[str, Any]], originals: dict[str, Original], encoder: ClipEncoder | None, thumbnail: int
) -> Iterator[dict[str, Any]]:
    side = max(2 * encoder.config.image_size, thumbnail) if encoder else thumbnail
    images = [_image(row, originals, side) for row in listings]
    texts = [caption(row) if has_caption(row) else None for row in listings]
    image_vectors, text_vectors = _vectors(images, texts, encoder)
    for row, image, text, image_vector, text_vector in zip(
        listings, images, texts, image_vectors, text_vectors, strict=True
    ):
        image.thumbnail((thumbnail, thumbnail), Image.Resampling.LANCZOS)
        yield {
            **row,
            "text": text,
            "search_text": "\n".join(dict.fromkeys([*all_texts(row), *captions(row).values()])),
            "image_embedding": image_vector,
            "text_embedding": text_vector,
            "thumbnail": encode_jpeg(image, THUMBNAIL_QUALITY),
        }


def _vectors(
    images: Sequence[Image.Image], texts: Sequence[str | None], encoder: ClipEncoder | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vectors of the images and of the texts, both (N, D); zeros for missing texts."""
    if encoder is None:
        return np.zeros((len(images), NO_VECTORS), np.float32), np.zeros((len(texts), NO_VECTORS), np.float32)
    config = encoder.config
    image_vectors = encoder.images(np.asarray(fit(image, config.image_size, config.resize_mode)) for image in images)
    text_vectors = np.zeros_like(image_vectors)
    with_text = [row for row, text in enumerate(texts) if text]
    text_vectors[with_text] = encoder.texts(text for text in texts if text)
    return image_vectors, text_vectors


def _image(row: dict[str, Any], originals: dict[str, Original], side: int) -> Image.Image:
    if row["image"] not in originals:
        raise StageError(f"{row['id']}: image {row['image']} is in no tar of data/catalog: run `dvc repro validated`")
    try:
        return decode(originals[row["image"]].read(), size=side)
    except ImageDecodeError as error:
        raise StageError(f"{row['id']}: image {row['image']} cannot be decoded: {error}") from error
