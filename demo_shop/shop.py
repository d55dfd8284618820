"""The shop: all content follows from one seed; each listing is generated on request."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from demo_shop import annotator, compatibility
from demo_shop import guides as library
from demo_shop.compatibility import CompatibilityGraph
from demo_shop.facts import ListingFacts, facts, stream
from demo_shop.faults import Fault, guide_faults, guide_id, listing_faults, listing_id
from demo_shop.guides import Guide
from demo_shop.images import ListingImage, listing_image
from demo_shop.upper_bounds import upper_bounds
from demo_shop.words import ListingTexts, write

Row = dict[str, Any]
CACHED = 20_000
"""Maximum number of cached listings, with images of about 10 kB each."""


@dataclass(frozen=True)
class Listing:
    """One listing without its planted faults, which are applied when the listing is served."""

    id: str  # WordPress id
    facts: ListingFacts
    words: ListingTexts
    image: ListingImage


class Shop:
    """A generated second-hand and upcycling shop.

    Args:
        seed: seed of all random numbers.
        listings: number of listings; a larger shop has the listings of a smaller one, unchanged.
        guides: number of guides, at most 741.
    """

    def __init__(self, seed: int = 20260701, listings: int = 2400, guides: int = 300) -> None:
        self.seed = seed
        self.size = listings
        self.guide_count = guides
        self.listing = lru_cache(maxsize=CACHED)(self._listing)

    @cached_property
    def faults(self) -> list[Fault]:
        """All planted faults, grouped by table."""
        edges = [
            Fault(
                " ".join((row["source"], row["relation"], row["target"])),
                "edges",
                "edge to an unknown node",
                "quarantine",
                "edges_join_known_nodes",
            )
            for row in compatibility.UNKNOWN_EDGES
        ]
        return [*self.listing_faults.values(), *guide_faults(self.seed, self.guide_count).values(), *edges]

    @cached_property
    def listing_faults(self) -> dict[int, Fault]:
        """Number of a listing -> its planted fault."""
        return listing_faults(self.seed, self.size)

    def facts(self, number: int) -> ListingFacts:
        """The facts of listing ``number``; a duplicate has the facts of its original."""
        return facts(self.seed, self._shown(number))

    def image(self, number: int) -> bytes:
        """The original file of listing ``number``."""
        return self.listing(number).image.content

    def _listing(self, number: int) -> Listing:
        if not 0 <= number < self.size:
            raise IndexError(f"there are {self.size} listings, number {number} is none of them")
        truth = self.facts(number)
        fault = self.listing_faults.get(number)
        if fault and fault.reason == "exact":
            image = self.listing(self._shown(number)).image
        else:
            image = listing_image(self.seed, truth, reencoded=fault is not None and fault.reason == "near")
        words = write(truth, image.scene, stream(self.seed, "words", self._shown(number)))
        return Listing(listing_id(number), truth, words, image)

    def _shown(self, number: int) -> int:
        """Number of the listing whose facts, texts and image this listing has: its original, or itself."""
        fault = self.listing_faults.get(number)
        return int(fault.original) - int(listing_id(0)) if fault and fault.original else number

    @cached_property
    def guides(self) -> list[Guide]:
        """All guides, without planted faults."""
        return library.guides(self.seed, self.guide_count)

    def guide_row(self, guide: Guide) -> Row:
        """``id``, ``title``, ``text``."""
        return {
            "id": guide_id(guide.number),
            "title": guide.title,
            "text": guide.text(stream(self.seed, "guide text", guide.number)),
        }

    @cached_property
    def queries(self) -> list[Row]:
        """One question for each guide: ``id``, ``text``."""
        return [
            {"id": f"q{guide.number:05d}", "text": guide.question(stream(self.seed, "query", guide.number))}
            for guide in self.guides
        ]

    @cached_property
    def qrels(self) -> list[Row]:
        """Graded judgements: ``query``, ``guide``, ``relevance`` 1 to 3, and one 0 for each query."""
        rows = []
        for guide, query in zip(self.guides, self.queries, strict=True):
            grades = {other.number: guide.relevance(other) for other in self.guides}
            unrelated = [number for number, grade in grades.items() if grade == 0]
            judged = {number: grade for number, grade in grades.items() if grade}
            if unrelated:
                judged[stream(self.seed, "qrel", guide.number).choice(unrelated)] = 0
            rows += [
                {"query": query["id"], "guide": guide_id(number), "relevance": grade}
                for number, grade in sorted(judged.items())
            ]
        return rows

    @cached_property
    def conversations(self) -> list[Row]:
        """One for each guide: ``id``, ``messages`` (some with a system message; then user, assistant)."""
        rows = []
        for guide in self.guides:
            rng = stream(self.seed, "conversation", guide.number)
            messages = [
                {"role": "user", "content": guide.question(rng)},
                {"role": "assistant", "content": library.answer(guide, rng)},
            ]
            if rng.random() < 0.3:
                messages.insert(
                    0, {"role": "system", "content": "You help people to reuse, repair and dispose of things."}
                )
            rows.append({"id": f"c{guide.number:05d}", "messages": messages})
        return rows

    @cached_property
    def preferences(self) -> list[Row]:
        """Two pairs for each guide: ``id``, ``prompt``, ``chosen``, ``rejected``."""
        return [row for row, _ in self._pairs]

    @cached_property
    def _pairs(self) -> list[tuple[Row, float]]:
        pairs = []
        for number in range(2 * self.guide_count):
            guide = self.guides[number % self.guide_count]
            rng = stream(self.seed, "pair", number)
            other = self.guides[(guide.number + 1 + rng.randrange(max(1, self.guide_count - 1))) % self.guide_count]
            prompt = guide.question(rng)
            chosen, rejected, likely = annotator.pair(self.seed, number, guide, other, prompt)
            pairs.append(({"id": f"p{number:05d}", "prompt": prompt, "chosen": chosen, "rejected": rejected}, likely))
        return pairs

    @cached_property
    def graph(self) -> CompatibilityGraph:
        """The compatibility graph, without planted faults."""
        return compatibility.graph(self.seed, compatibility.product_count(self.guide_count))

    @cached_property
    def upper_bounds(self) -> dict[str, float]:
        """Upper bounds of the metrics, computed from the generator's probabilities (:mod:`demo_shop.upper_bounds`)."""
        agreement = sum(likely for _, likely in self._pairs) / max(1, len(self._pairs))
        return {**upper_bounds(), "preference_accuracy": agreement, "link_prediction_auroc": self.graph.upper_bound}
