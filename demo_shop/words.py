"""The texts of a listing: a grammar with synonyms, four voices, misspellings and omissions.

Alt text and caption state what the image shows, truthfully. Title and description state the purpose (nearly always);
:data:`STATED` gives the probabilities that they state item, material, colour and pattern.
"""

import html
import random
from collections.abc import Mapping
from dataclasses import dataclass

from demo_shop import phrases
from demo_shop.facts import ListingFacts
from demo_shop.scene import RenderedScene

STATED = {"item": 0.42, "material": 0.5, "colour": 0.45, "pattern": 0.4}
"""P(a fact is stated) in the title, and independently again in the description."""
PURPOSE_STATED = 0.97
"""P(the purpose is stated in title or description)."""
MISSPELLED = 0.12
"""P(a title or a description contains one misspelt word)."""


@dataclass(frozen=True)
class ListingTexts:
    """All texts of one listing; ``stated`` contains the facts that title or description state."""

    title: str
    description: str
    body: str  # HTML
    alt_text: str
    caption: str
    tags: tuple[str, ...]
    seo_title: str
    seo_description: str
    stated: frozenset[str]


def write(facts: ListingFacts, scene: RenderedScene, rng: random.Random) -> ListingTexts:
    """Write all texts from the facts and the scene of the image."""
    in_title = {name for name, share in STATED.items() if rng.random() < share}
    in_text = {name for name, share in STATED.items() if rng.random() < share}
    purpose = rng.choices(("title", "text", "both", "neither"), (0.2, 0.5, 0.27, 1 - PURPOSE_STATED))[0]
    title = _title(facts, in_title, purpose in ("title", "both"), rng)
    description = _description(facts, in_text, purpose in ("text", "both"), rng)
    stated = frozenset(in_title | in_text | ({"purpose"} if purpose != "neither" else set()))
    full = _noun_phrase(facts, set(STATED), rng)
    spell: Mapping[str, str] = phrases.AMERICAN if facts.locale == "en-US" else {}
    return ListingTexts(
        title=_misspell(_replace(title, spell), rng),
        description=_misspell(_replace(description, spell), rng),
        body=_replace(_body(facts, full, rng), spell),
        alt_text=_replace(_alt_text(facts, scene, rng), spell),
        caption=_replace(_caption(facts, scene, rng), spell),
        tags=_tags(facts, rng),
        seo_title=_replace(f"{_capital(full)} | second-hand", spell),
        seo_description=_replace(f"Buy {_article(full)}. {rng.choice(phrases.CLOSINGS['plain'])}", spell),
        stated=stated,
    )


def _noun_phrase(facts: ListingFacts, stated: set[str], rng: random.Random, canonical: float = 0.7) -> str:
    """ "striped red woollen t-shirt", with the facts in ``stated`` only; ``canonical``: P(the label's own name)."""
    names = phrases.ITEM_NAMES[facts.item]
    parts = []
    if "pattern" in stated and facts.pattern != "plain":
        parts.append(facts.pattern)
    if "colour" in stated:
        parts.append(facts.colour)
    if "material" in stated:
        parts.append(rng.choice(phrases.MATERIAL_ADJECTIVES[facts.material]))
    if "item" in stated:
        parts.append(names[0] if rng.random() < canonical else rng.choice(names))
    else:
        parts.append(rng.choice(phrases.THINGS))
    return " ".join(parts)


def _title(facts: ListingFacts, stated: set[str], purpose: bool, rng: random.Random) -> str:
    phrase = _noun_phrase(facts, stated, rng)
    if rng.random() < 0.4:
        phrase = f"{rng.choice(phrases.MOODS)} {phrase}"
    if rng.random() < 0.2:
        phrase = f"{facts.size} {phrase}"
    if purpose:
        joint = rng.choice((" \N{EN DASH} ", ", ", ": "))
        phrase = f"{phrase}{joint}{rng.choice(phrases.PURPOSE_TITLES[facts.purpose])}"
    title = _capital(phrase)
    return title + "!" if facts.voice == "chatty" and "no exclamation marks" not in facts.wishes else title


def _description(facts: ListingFacts, stated: set[str], purpose: bool, rng: random.Random) -> str:
    thing = _article(_noun_phrase(facts, stated, rng))
    sentences = [rng.choice(phrases.OPENINGS[facts.voice]).format(thing=thing, Thing=_capital(thing))]
    if purpose:
        sentences.append(rng.choice(phrases.PURPOSE_SENTENCES[facts.purpose]))
    if "mention the size" in facts.wishes:
        sentences.append(f"It is {facts.size}.")
    if "say where it came from" in facts.wishes or rng.random() < 0.2:
        sentences.append(rng.choice(phrases.ORIGINS))
    if rng.random() < 0.6:
        sentences.append(rng.choice(phrases.CLOSINGS[facts.voice]))
    text = " ".join(sentences)
    return text.replace("!", ".") if "no exclamation marks" in facts.wishes else text


def _body(facts: ListingFacts, full: str, rng: random.Random) -> str:
    rows = [
        ("Material", facts.material),
        ("Colour", facts.colour),
        ("Size", facts.size),
        ("Price", f"£{facts.price:.2f}"),
    ]
    details = "".join(f"<li><strong>{name}:</strong> {html.escape(value)}</li>" for name, value in rows)
    opening = rng.choice(phrases.OPENINGS[facts.voice]).format(thing=_article(full), Thing=_capital(_article(full)))
    purpose = rng.choice(phrases.PURPOSE_SENTENCES[facts.purpose])
    return (
        f"<p>{html.escape(opening)} {html.escape(purpose)}</p>\n<h2>Details</h2>\n<ul>{details}</ul>\n"
        f"<p>{html.escape(rng.choice(phrases.CLOSINGS[facts.voice]))}</p>"
    )


def _alt_text(facts: ListingFacts, scene: RenderedScene, rng: random.Random) -> str:
    text = _article(_noun_phrase(facts, set(STATED), rng, canonical=0.85))
    if rng.random() < 0.6:
        text += f" {rng.choice(phrases.SURROUNDINGS[scene.background])}"
    clauses = _clauses(scene, "it", rng)
    if clauses:
        text += ", with " + " and ".join(clauses)
    return _capital(text) + "."


def _caption(facts: ListingFacts, scene: RenderedScene, rng: random.Random) -> str:
    name = _noun_phrase(facts, {"item"}, rng, canonical=0.9)
    text = rng.choice(("The {full}", "Our {full}", "Photo of {article}", "{Article}")).format(
        full=(full := _noun_phrase(facts, set(STATED) - {"pattern"}, rng, canonical=0.85)),
        article=_article(full),
        Article=_capital(_article(full)),
    )
    clauses = _clauses(scene, f"the {name}", rng)
    return text + (f"; {clauses[0]}" if clauses else "") + "."


def _clauses(scene: RenderedScene, main: str, rng: random.Random) -> list[str]:
    """ "a red ball to the left of it": one clause for each relation in which the main item is the object."""
    clauses = []
    for relation in scene.relations:
        if relation.object == 0:
            thing = scene.objects[relation.subject]
            words = rng.choice(phrases.PREDICATE_WORDS[relation.predicate])
            clauses.append(f"{_article(f'{thing.attributes[0]} {thing.label}')} {words} {main}")
    return clauses


def _tags(facts: ListingFacts, rng: random.Random) -> tuple[str, ...]:
    tags = {facts.material, facts.colour, rng.choice(phrases.MOODS)}
    if facts.pattern != "plain":
        tags.add(facts.pattern)
    return tuple(sorted(rng.sample(sorted(tags), rng.randint(2, len(tags)))))


def _article(phrase: str) -> str:
    if phrase.split()[-1] in phrases.PLURAL_ITEMS and not phrase.endswith("pair of trousers"):
        return f"a pair of {phrase}"
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _replace(text: str, spelling: Mapping[str, str]) -> str:
    for british, american in spelling.items():
        text = text.replace(british, american)
    return text


def _misspell(text: str, rng: random.Random) -> str:
    """Swap two letters inside one longer word, at random."""
    if rng.random() >= MISSPELLED:
        return text
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if long:
        place = rng.choice(long)
        word = words[place]
        cut = rng.randrange(1, len(word) - 2)
        words[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)
