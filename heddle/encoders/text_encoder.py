"""The sentence encoder that the parameters name."""

from heddle.core.stage import StageError
from heddle.encoders.parameters import Encoder
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder


def sentence_encoder(encoder: Encoder, threads: int) -> SentenceEncoder:
    """The encoder, opened.

    Raises:
        StageError: there is none of this name, or it is none.
    """
    try:
        return SentenceEncoder.from_pretrained(encoder.name, threads, encoder.query_instruction)
    except (OSError, ValueError) as error:
        raise StageError(f"index.encoder.name: {encoder.name!r} is no encoder that can be used: {error}") from error
