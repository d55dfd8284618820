"""The sentence encoder that the parameters name."""

from assets.parameters.index import Encoder
from assets.stage import StageError
from lightning_modules.sentence_encoder import SentenceEncoder


def sentence_encoder(encoder: Encoder, threads: int) -> SentenceEncoder:
    """The encoder, opened.

    Raises:
        StageError: there is none of this name, or it is none.
    """
    try:
        return SentenceEncoder.from_pretrained(encoder.name, threads, encoder.query_instruction)
    except (OSError, ValueError) as error:
        raise StageError(f"index.encoder.name: {encoder.name!r} is no encoder that can be used: {error}") from error
