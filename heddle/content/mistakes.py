"""Insert mistakes into texts with a lexicon's phrases."""

from heddle.content.lexicon import Lexicon
from lightning_modules.writer.corruption import Corruption


def make_corruption(lexicon: Lexicon) -> Corruption:
    """The corruption that replaces a phrase for an item, material or colour by another phrase of the same kind."""
    return Corruption(
        {
            kind: {" ".join(words): value for words, value in phrases.items()}
            for kind, phrases in lexicon.phrases.items()
        }
    )
