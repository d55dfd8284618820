"""Every expectation on the catalogue, as plain data: what the stage `validated` checks and the orchestrator shows.

Each has a bound, the largest share of failing rows that is still taken for a few bad records; those go to the
quarantine with the expectation's name as reason. Beyond the bound the source itself is broken, and the run stops.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUITES = ("images", "listings", "guides", "queries", "qrels", "conversations", "preferences", "nodes", "edges")
"""One for each table, in the order in which they are checked: what is refused in one is missing for the next."""


@dataclass(frozen=True)
class Expectation:
    """One named expectation on the rows of one table.

    Attributes:
        suite: the table.
        name: unique among all; the reason in the quarantine, the check's name in Dagster, the key of `bounds`.
        rule: class of ``great_expectations.expectations``, or None if the rule is our own: then the column of the
            same name that ``assets.validated.columns`` derives must be true (null where it does not apply).
        arguments: of the rule.
        bound: largest share of failing rows, of those that it applies to, with which the run goes on.
        releasable: a person may let a failing row in, since no stage relies on what is expected.
    """

    suite: str
    name: str
    description: str
    bound: float
    rule: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    releasable: bool = False

    @property
    def column(self) -> str:
        """What the rule looks at, among the columns that ``assets.validated.columns`` gives."""
        return str(self.arguments.get("column", self.name))


def _unique(suite: str, name: str, column: str = "id") -> Expectation:
    description = f"No two rows of {suite} have the same {column}."
    return Expectation(suite, name, description, 0.0, "ExpectColumnValuesToBeUnique", {"column": column})


def _filled(suite: str, name: str, column: str, bound: float) -> Expectation:
    description = f"The {column} of each row of {suite} holds at least one visible character."
    arguments = {"column": column, "regex": r"\S"}
    return Expectation(suite, name, description, bound, "ExpectColumnValuesToMatchRegex", arguments)


EXPECTATIONS: tuple[Expectation, ...] = (
    _unique("images", "images_unique", "sha256"),
    Expectation(
        "images",
        "image_hashes_well_formed",
        "An image is named by 64 hexadecimal digits, the SHA-256 of its bytes.",
        0.0,
        "ExpectColumnValuesToMatchRegex",
        {"column": "sha256", "regex": "^[0-9a-f]{64}$"},
    ),
    Expectation(
        "images",
        "images_large_enough",
        "The shorter side of an image has at least 32 pixels.",
        0.05,
        "ExpectColumnValuesToBeBetween",
        {"column": "shorter_side", "min_value": 32},
        releasable=True,
    ),
    Expectation(
        "images",
        "images_not_slivers",
        "An image is at most six times as long as it is wide, or the other way round.",
        0.05,
        "ExpectColumnValuesToBeBetween",
        {"column": "elongation", "max_value": 6},
        releasable=True,
    ),
    _unique("listings", "ids_unique"),
    Expectation("listings", "ids_name_their_source", "A listing's id begins with its source's name and a colon.", 0.0),
    Expectation("listings", "images_known", "A listing's image is among the accepted images.", 0.05),
    Expectation(
        "listings",
        "title_present",
        "Each listing has a title.",
        0.05,
        "ExpectColumnValuesToNotBeNull",
        {"column": "title"},
        releasable=True,
    ),
    Expectation(
        "listings",
        "titles_short",
        "A title has at most 300 characters.",
        0.02,
        "ExpectColumnValueLengthsToBeBetween",
        {"column": "title", "max_value": 300},
        releasable=True,
    ),
    Expectation(
        "listings",
        "price_positive",
        "A price, where one is asked, is more than nothing.",
        0.02,
        "ExpectColumnValuesToBeBetween",
        {"column": "price", "min_value": 0, "strict_min": True},
        releasable=True,
    ),
    Expectation("listings", "objects_labelled", "Every object in an image has a label.", 0.02),
    Expectation(
        "listings",
        "boxes_inside_image",
        "Every object's box lies inside its image and has an area: 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1.",
        0.05,
    ),
    Expectation(
        "listings",
        "relations_point_at_objects",
        "Every relation joins two different objects of its listing.",
        0.05,
    ),
    Expectation("listings", "body_sanitised", "Sanitising a listing's body once more would change nothing.", 0.0),
    Expectation(
        "listings",
        "dates_in_order",
        "A listing was created no later than it was modified.",
        0.02,
        releasable=True,
    ),
    _unique("guides", "guide_ids_unique"),
    _filled("guides", "text_present", "text", 0.05),
    _unique("queries", "query_ids_unique"),
    _filled("queries", "question_present", "text", 0.02),
    # Not by the rule for two columns: Great Expectations shows those in another order each time.
    Expectation(
        "qrels",
        "judgements_unique",
        "A guide is judged once for each query.",
        0.0,
        "ExpectColumnValuesToBeUnique",
        {"column": "judgement"},
    ),
    Expectation("qrels", "judgements_join_known", "A judgement joins an accepted query and an accepted guide.", 0.1),
    Expectation(
        "qrels",
        "relevance_in_range",
        "Relevance is a grade from 0 to 3.",
        0.0,
        "ExpectColumnValuesToBeBetween",
        {"column": "relevance", "min_value": 0, "max_value": 3},
    ),
    _unique("conversations", "conversation_ids_unique"),
    Expectation(
        "conversations",
        "turns_alternate",
        "After an optional system message, user and assistant take turns with something to say; the assistant ends.",
        0.05,
    ),
    _unique("preferences", "preference_ids_unique"),
    Expectation("preferences", "answers_differ", "The chosen answer is another than the rejected one.", 0.05),
    _unique("nodes", "node_ids_unique"),
    _filled("nodes", "node_text_present", "text", 0.05),
    Expectation("edges", "edges_join_known_nodes", "Both ends of an edge are accepted nodes.", 0.05),
    Expectation("edges", "edges_no_loops", "An edge joins two different nodes.", 0.05),
)
"""In the order in which a failing row's reason is looked for."""


def expectations_of(suite: str) -> tuple[Expectation, ...]:
    """The expectations on one table."""
    return tuple(each for each in EXPECTATIONS if each.suite == suite)
