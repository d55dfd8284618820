"""What puts mistakes into texts, out of a lexicon's phrases."""

from heddle.content.lexicon import Lexicon
from lightning_modules.writer.corruption import Corruption


def corruption_of(lexicon: Lexicon) -> Corruption:
    """Swaps one of the lexicon's phrases of a text for another of its kind: the item's, the material's, a colour."""
    known = lexicon.phrases.items()
    return Corruption({kind: {" ".join(words): value for words, value in phrases.items()} for kind, phrases in known})
