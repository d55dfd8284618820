"""What a search runs on: listings with vectors, words and thumbnails, guides with vectors, BM25 over the words of both.

A catalogue may bring only one of the two; the other half is then a table without rows. Where there is no dual encoder,
listings have vectors of zeros, which stand for none, and are found by their words.
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
from heddle.core.splits import split_of
from heddle.core.stage import Metrics, Stage, StageError
from heddle.core.vectors import NO_VECTORS
from heddle.encoders.parameters import IndexParameters
from heddle.encoders.text_encoder import sentence_encoder
from heddle.images.originals import Original, find_originals
from heddle.images.resize import ImageDecodeError, decode, encode_jpeg, fit
from heddle.retrieval.guide_index import guide_text, write_empty_guide_index, write_guide_index
from heddle.retrieval.lexical.bm25 import BM25Index
from lightning_modules.clip.encoder import ClipEncoder

AT_A_TIME = 512  # listings whose images are in memory; a multiple of the encoder's batch, so it changes no vector
THUMBNAIL_QUALITY = 82  # of the JPEGs: small, without blocks that a person sees


def index(stage: Stage) -> Metrics:
    """Embed and index every accepted listing, those of the held-out splits included, and every guide."""
    parameters = stage.parameters(IndexParameters)
    threads = stage.parameters(Compute, "compute").threads
    listings = [row for row in read_rows(stage.input("validated") / "listings.parquet") if row["image"]]
    guides = read_rows(stage.input("validated") / "guides.parquet")
    if not listings and not guides:
        raise StageError("data/validated holds neither a listing with an image nor a guide; bring some in `catalog`")
    return _index_listings(stage, listings, parameters, threads) | _index_guides(stage, guides, parameters, threads)


def _index_listings(
    stage: Stage, listings: Sequence[dict[str, Any]], parameters: IndexParameters, threads: int
) -> dict[str, int]:
    if not listings:
        write_table(stage.output / "listings.parquet", [], index_schema(NO_VECTORS))
        return {"listings": 0, "listings_without_words": 0, "dimensions": 0, "stems": 0}
    split = stage.parameters(Split, "split")
    encoder = _dual_encoder(stage, threads)
    originals = find_originals(stage.input("catalog"))
    rows: list[dict[str, Any]] = []
    for start in range(0, len(listings), AT_A_TIME):
        some = listings[start : start + AT_A_TIME]
        rows += _embedded(some, originals, encoder, parameters.thumbnail)
        stage.progress("embedded" if encoder else "without vectors", len(rows), len(listings))
    for row in rows:
        row["split"] = split_of(row["id"], split)
    write_table(
        stage.output / "listings.parquet", rows, index_schema(encoder.config.projection_dim if encoder else NO_VECTORS)
    )
    words = BM25Index.build([row["words"] for row in rows], parameters.k1, parameters.b)
    words.save(stage.output / "bm25")
    return {
        "listings": len(rows),
        "listings_without_words": sum(not row["words"] for row in rows),
        "dimensions": encoder.config.projection_dim if encoder else 0,
        "stems": words.vocab_size,
    }


def _index_guides(
    stage: Stage, guides: Sequence[dict[str, Any]], parameters: IndexParameters, threads: int
) -> dict[str, int]:
    """A catalogue without guides needs no encoder of sentences, so none is loaded for it."""
    if not guides:
        write_empty_guide_index(stage.output)
        return {"guides": 0, "guides_cut_off": 0, "guide_dimensions": 0, "guide_stems": 0}
    stage.progress(f"embedding {len(guides)} guides with {parameters.encoder.name}")
    encoder = sentence_encoder(parameters.encoder, threads)
    texts = [guide_text(guide) for guide in guides]
    words = BM25Index.build(texts, parameters.k1, parameters.b)
    write_guide_index(stage.output, guides, encoder.documents(texts), parameters.encoder, words)
    cut_off = encoder.count_truncated(texts)
    if cut_off:
        stage.progress(
            f"{cut_off} guides are longer than the {encoder.context} tokens that {parameters.encoder.name} reads"
        )
    return {
        "guides": len(guides),
        "guides_cut_off": cut_off,
        "guide_dimensions": encoder.dimensions,
        "guide_stems": words.vocab_size,
    }


def _dual_encoder(stage: Stage, threads: int) -> ClipEncoder | None:
    if reason := skip_reason(stage.input("clip")):
        stage.progress(f"listings get no vectors: {reason}")
        return None
    return ClipEncoder.from_pretrained(stage.input("clip"), threads)


def index_schema(dimensions: int) -> pa.Schema:
    """Columns of listings.parquet; LanceDB and Weaviate take the vectors as they are."""
    vector = pa.list_(pa.float32(), dimensions)
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("split", pa.string(), nullable=False),  # train, validation or test
            pa.field("url", pa.string()),  # page that a person would open
            pa.field("title", pa.string()),
            pa.field("text", pa.string()),  # what text_embedding stands for; null where nothing is written
            pa.field("words", pa.string(), nullable=False),  # all that is written, as BM25 sees it; may be empty
            pa.field("item", pa.string()),
            pa.field("material", pa.string()),
            pa.field("bin", pa.string()),
            pa.field("product_class", pa.string()),
            pa.field("price", pa.float64()),
            pa.field("licence", pa.string()),
            pa.field("image_embedding", vector, nullable=False),  # unit length; zeros where there is no encoder
            pa.field("text_embedding", vector, nullable=False),  # the same; zeros also where text is null
            pa.field("thumbnail", pa.binary(), nullable=False),  # JPEG
        ]
    )


def _embedded(
    listings: Sequence[dict[str, Any]], originals: dict[str, Original], encoder: ClipEncoder | None, thumbnail: int
) -> Iterator[dict[str, Any]]:
    side = max(2 * encoder.config.image_size, thumbnail) if encoder else thumbnail
    images = [_image(row, originals, side) for row in listings]
    texts = [caption(row) if has_caption(row) else None for row in listings]
    image_vectors, text_vectors = _vectors(images, texts, encoder)
    for row, image, text, seen, said in zip(listings, images, texts, image_vectors, text_vectors, strict=True):
        image.thumbnail((thumbnail, thumbnail), Image.Resampling.LANCZOS)
        yield {
            **row,
            "text": text,
            "words": "\n".join(dict.fromkeys([*all_texts(row), *captions(row).values()])),
            "image_embedding": seen,
            "text_embedding": said,
            "thumbnail": encode_jpeg(image, THUMBNAIL_QUALITY),
        }


def _vectors(
    images: Sequence[Image.Image], texts: Sequence[str | None], encoder: ClipEncoder | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of the images and of the texts, both (N, D); zeros for what is not there."""
    if encoder is None:
        return np.zeros((len(images), NO_VECTORS), np.float32), np.zeros((len(texts), NO_VECTORS), np.float32)
    config = encoder.config
    seen = encoder.images(np.asarray(fit(image, config.image_size, config.resize_mode)) for image in images)
    said = np.zeros_like(seen)
    written = [place for place, text in enumerate(texts) if text]
    said[written] = encoder.texts(text for text in texts if text)
    return seen, said


def _image(row: dict[str, Any], originals: dict[str, Original], side: int) -> Image.Image:
    if row["image"] not in originals:
        raise StageError(f"{row['id']}: image {row['image']} is in no tar of data/catalog; run `dvc repro validated`")
    try:
        return decode(originals[row["image"]].read(), size=side)
    except ImageDecodeError as error:
        raise StageError(f"{row['id']}: its image {row['image']} cannot be read: {error}") from error
