"""Guides on reuse, repair and disposal, questions with graded relevance, and conversations that answer them."""

import random
from dataclasses import dataclass

from demo_shop import phrases
from demo_shop import vocabulary as words
from demo_shop.facts import stream
from demo_shop.guide_topics import CAUTIONS, IDEAS, KINDS, PROBLEMS, Steps, disposal


@dataclass(frozen=True)
class Guide:
    """One guide: its topic, its text and a user's question about it."""

    number: int
    action: str
    item: str
    material: str
    topic: str  # problem, idea or bin
    plea: str  # the problem in a user's words
    tool: str
    steps: Steps

    @property
    def title(self) -> str:
        """Title of the guide."""
        thing = f"{phrases.MATERIAL_ADJECTIVES[self.material][0]} {self.item}"
        return {
            "repair": f"How to mend {self.topic} on a {thing}",
            "reuse": f"Turn a {thing} into {self.topic}",
            "dispose": f"Where to throw away a {thing}",
        }[self.action]

    def text(self, rng: random.Random) -> str:
        """The guide as plain text."""
        kind = KINDS[self.material]
        opening = {
            "repair": (
                f"{self.topic.capitalize()}: that is no reason to part with a {self.item} made of {self.material}.",
                f"With {self.topic}, a {self.material} {self.item} looks worse than it is.",
            ),
            "reuse": (
                f"An old {self.item} of {self.material} makes {self.topic} in an afternoon.",
                f"Before you part with your {self.material} {self.item}, think of {self.topic}.",
            ),
            "dispose": (
                f"When this {self.item} of {self.material} is beyond saving, it belongs to: {self.topic}.",
                f"The right place for a worn-out {self.material} {self.item} is the {self.topic}.",
            ),
        }[self.action]
        caution = CAUTIONS[kind]
        need = f" You need {self.tool}." if self.tool else ""
        numbered = " ".join(f"{place}. {step}" for place, step in enumerate(self.steps, 1))
        return f"{rng.choice(opening)}{need} {numbered} {caution}"

    def question(self, rng: random.Random) -> str:
        """A question that this guide answers, mostly in other words than the guide's."""
        name = rng.choice(phrases.ITEM_NAMES[self.item])
        adjective = rng.choice(phrases.MATERIAL_ADJECTIVES[self.material])
        forms = {
            "repair": (
                f"my {adjective} {name} {self.plea}, can I fix it?",
                f"how do I fix {self.topic} on a {adjective} {name}",
                f"{adjective} {name} {self.plea}",
            ),
            "reuse": (
                f"what can I make from an old {adjective} {name}? I would like {self.plea}",
                f"ideas for making {self.topic} out of a {adjective} {name}",
                f"I have a {adjective} {name} left over and want {self.plea}",
            ),
            "dispose": (
                f"which bin does a broken {adjective} {name} go in?",
                f"how do I get rid of a {adjective} {name}",
                f"can a {adjective} {name} be recycled",
            ),
        }[self.action]
        return rng.choice(forms)

    def relevance(self, other: "Guide") -> int:
        """Relevance of ``other`` for the question of this guide.

        3: it is the guide. 2: same action and topic, and the same item or the same material. 1: same item and material
        with another topic, or same action and topic on another kind of item of a similar material. 0: none of these.
        """
        if other.number == self.number:
            return 3
        alike = (self.item == other.item) + (self.material == other.material)
        same_topic = self.action == other.action and self.topic == other.topic
        if same_topic and alike and (self.action != "dispose" or alike == 2):
            return 2
        if alike == 2 or (same_topic and self.action == "repair" and KINDS[self.material] == KINDS[other.material]):
            return 1
        return 0


def guides(seed: int, count: int) -> list[Guide]:
    """The first ``count`` guides of the shuffled list of all 741 guides."""
    everything: list[tuple[str, str, str, str, str, str, Steps]] = []
    for item in words.ITEMS:
        for material in words.MATERIALS_OF[item]:
            for topic, plea, tool, steps in PROBLEMS[KINDS[material]]:
                everything.append(("repair", item, material, topic, plea, tool, steps))
            for idea, (plea, tool, steps, suited) in IDEAS.items():
                if KINDS[material] not in suited:
                    continue
                everything.append(("reuse", item, material, idea, plea, tool, steps))
            target, steps = disposal(item, material)
            everything.append(("dispose", item, material, target, "", "", steps))
    shuffled = stream(seed, "guides").sample(everything, len(everything))
    if count > len(shuffled):
        raise ValueError(f"there are {len(shuffled)} guides, {count} were asked for")
    return [Guide(number, *fields) for number, fields in enumerate(shuffled[:count])]


def answer(guide: Guide, rng: random.Random) -> str:
    """An assistant's answer from the guide."""
    opening = rng.choice(
        ("Good news: it can be done.", "Here is what works.", "Gladly.", "Take your time with this one.")
    )
    need = f" Get {guide.tool} ready." if guide.tool else ""
    return f"{opening}{need} " + " ".join(f"{place}. {step}" for place, step in enumerate(guide.steps, 1))
