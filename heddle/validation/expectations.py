"""All expectations on the catalogue as data, for the stage `validated` and the orchestrator.

Each has a bound: the largest share of failing rows with which the run continues. The failing rows go to the quarantine
with the expectation's name as reason. Beyond the bound the source is probably broken, and the run stops.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUITES = ("images", "listings", "guides", "queries", "qrels", "conversations", "preferences", "nodes", "edges")
"""Tables in the order in which they are checked: rows that fail in one table are missing for the next ones."""


@dataclass(frozen=True)
class Expectation:
    """One named expectation on the rows of one table.

    Attributes:
        suite: the table.
        name: unique name: the reason in the quarantine, the check in Dagster, the key in `bounds`.
        rule: class of ``great_expectations.expectations``, or None for our own rule: then the column of the same name,
            derived in ``assets.validated.columns``, must be true (null if the expectation does not apply).
        arguments: arguments of the rule.
        bound: largest share of failing rows, among the evaluated rows, with which the run continues.
        releasable: whether a person may release a failing row, because no stage depends on the expectation.
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
        """The checked column, one of those in ``assets.validated.columns``."""
        return str(self.arguments.get("column", self.name))


def _unique(suite: str, name: str, column: str = "id") -> Expectation:
    description = f"No two rows of {suite} have the same {column}."
    return Expectation(suite, name, description, 0.0, "ExpectColumnValuesToBeUnique", {"column": column})


def _filled(suite: str, name: str, column: str, bound: float) -> Expectation:
    description = f"The {column} of each row of {suite} contains at least one visible character."
    arguments = {"column": column, "regex": r"\S"}
    return Expectation(suite, name, description, bound, "ExpectColumnValuesToMatchRegex", arguments)


EXPECTATIONS: tuple[Expectation, ...] = (
    _unique("images", "images_unique", "sha256"),
    Expectation(
        "images",
        "image_hashes_well_formed",
        "The name of an image is the SHA-256 of its bytes, 64 hexadecimal digits.",
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
        "The longer side of an image is at most six times its shorter side.",
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
        "A price, if present, is greater than 0.",
        0.02,
        "ExpectColumnValuesToBeBetween",
        {"column": "price", "min_value": 0, "strict_min": True},
        releasable=True,
    ),
    Expectation("listings", "objects_labelled", "Every object in an image has a label.", 0.02),
    Expectation(
        "listings",
        "boxes_inside_image",
        "Every object's box is inside its image and has an area: 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1.",
        0.05,
    ),
    Expectation(
        "listings",
        "relations_point_at_objects",
        "Every relation joins two different objects of its listing.",
        0.05,
    ),
    Expectation(
        "listings", "body_sanitised", "A listing's body is sanitised HTML: sanitising it again changes nothing.", 0.0
    ),
    Expectation(
        "listings",
        "dates_in_order",
        "A listing's creation date is not after its modification date.",
        0.02,
        releasable=True,
    ),
    _unique("guides", "guide_ids_unique"),
    _filled("guides", "text_present", "text", 0.05),
    _unique("queries", "query_ids_unique"),
    _filled("queries", "question_present", "text", 0.02),
    # The rule for two columns is not used: Great Expectations shows its rows in a different order each time.
    Expectation(
        "qrels",
        "judgements_unique",
        "There is one judgement for each pair of query and guide.",
        0.0,
        "ExpectColumnValuesToBeUnique",
        {"column": "judgement"},
    ),
    Expectation("qrels", "judgements_join_known", "The query and the guide of a judgement are accepted.", 0.1),
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
        "After an optional system message, user and assistant alternate; no message is empty; the assistant is last.",
        0.05,
    ),
    _unique("preferences", "preference_ids_unique"),
    Expectation("preferences", "answers_differ", "The chosen answer differs from the rejected one.", 0.05),
    _unique("nodes", "node_ids_unique"),
    _filled("nodes", "node_text_present", "text", 0.05),
    Expectation("edges", "edges_join_known_nodes", "The source and the target of an edge are accepted nodes.", 0.05),
    Expectation("edges", "edges_no_loops", "An edge joins two different nodes.", 0.05),
)
"""In order of precedence: the first failed expectation is the reason of a row."""


def expectations_of(suite: str) -> tuple[Expectation, ...]:
    """Return the expectations of one table."""
    return tuple(each for each in EXPECTATIONS if each.suite == suite)
