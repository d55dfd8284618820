"""The sentence encoder of section `index` of the parameters."""

from heddle.core.stage import StageError
from heddle.encoders.parameters import Encoder
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder


def load_sentence_encoder(encoder: Encoder, threads: int) -> SentenceEncoder:
    """Load the encoder.

    Args:
        encoder: its name and the instruction for queries.
        threads: CPU threads of this process, from now on.

    Raises:
        StageError: the encoder does not exist, or is no sentence encoder.
    """
    try:
        return SentenceEncoder.from_pretrained(encoder.name, threads, encoder.query_instruction)
    except (OSError, ValueError) as error:
        raise StageError(f"index.encoder.name: cannot load encoder {encoder.name!r}: {error}") from error
