"""Hostile values, and what must hold for a page that shows them."""

import random
import re
from typing import Any

from lxml import html

ATTACKS = (
    *(
        "[red]",
        "[/]",
        "[/b] x",
        "[link=http://x.test]y",
        ":cat:",
        "\\[",
        "\x1b[2J\x1b[31m",
        "\x1b]8;;http://x.test\x07",
    ),
    *("\x9b2J", "\u202e", "\u2066", "\u2028", "\x85", "\0", "\r", "\n", "\t", "\x7f", "\ufeff", "\u200b", "\U000e0041"),
    *(
        "<script>alert(1)</script>",
        "<xss onload='x'>",
        "</td></table>",
        "-->",
        "]]>",
        "&lt;xss&gt;",
        "&#27;[2J",
        "&nbsp;",
    ),
    *('" onload="x', "' x='", "{{ 7 * 7 }}", "{% raise %}", "${x}", "$id", "%s", "{0}", "javascript:alert(1)"),
    *("# h", "| a | b |", "```", "![x](http://x.test)", "---", "key: value", "!!python/object:x", "*a", "&a", "- x"),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "..",
        "a/./b",
        "http://[",
        "http://x.test:99999/",
        "//x",
        "ftp://x/y",
    ),
    *(
        "1e999",
        "-0",
        "nan",
        "inf",
        "9" * 400,
        "0x10",
        "1_000",
        "[]",
        "{}",
        "[1, [2, {}]]",
        '["a"]',
        "a|b",
        "null",
        "true",
    ),
    *("é", "e\u0301", "日本語", "مرحبا", "👩‍🔧", "\u0378", "\ue000", "ﬃ", "İ", "ß", "x" * 300),
)
LONG = 100_000  # characters of a long text
SCALARS: tuple[Any, ...] = (None, True, 0, -1, 10**400, 1e308, float("nan"))
STRANGE: tuple[Any, ...] = (
    *SCALARS,
    [],
    {},
    [[1]],
    {"a": [{"b": None}]},
    "\ud800",
)

Record = dict[str, Any]


class BrokenRuleError(AssertionError):
    """Something got lost, or reached a terminal or a page that must not."""


class Hostile:
    """Draws hostile values. Equal seeds give equal values."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def text(self) -> str:
        """Draw some attacks and letters; one of a thousand is long."""
        pieces = [self.draw.choice(ATTACKS) if self.draw.random() < 0.7 else self._letters() for _ in range(4)]
        text = "".join(pieces[: self.draw.randrange(1, 5)])
        return text * (LONG // len(text)) if self.draw.random() < 0.001 else text

    def value(self, sound: Any, share: float = 0.3) -> Any:
        """Return the sound value, or a hostile one of some type."""
        if self.draw.random() > share:
            return sound
        return self.text() if self.draw.random() < 0.8 else self.draw.choice(STRANGE)

    def record(self, number: int, images: int) -> Record:
        """Draw a record of a listing."""
        box = {"label": self.text(), "box": [0, 0, 0.5, 1], "attributes": [self.text()]}
        sound = {"image": f"images/{number % images}.png", "title": f"Chair {number}", "description": "Oak", "price": 2}
        sound |= {
            "tags": ["a"],
            "url": f"http://shop.test/{number}",
            "body": "<p>x</p>",
            "item": "chair",
            "objects": [box],
        }
        record = {field: self.value(value) for field, value in sound.items()}
        if self.draw.random() < 0.5:  # otherwise few records would be accepted
            record |= {"image": sound["image"], "price": 2, "objects": []}
        return {"id": self.value(str(number), 0.1), **record}

    def _letters(self) -> str:
        return "".join(
            chr(self.draw.choice((self.draw.randrange(32, 127), self.draw.randrange(0x500)))) for _ in range(5)
        )


def check_page(page: str) -> None:
    """Check that no value became an element or attribute of a page.

    Raises:
        BrokenRuleError: one did.
    """
    for element in html.document_fromstring(page.replace("\0", "")).iter():
        tag = element.tag if isinstance(element.tag, str) else "comment"
        check(tag not in ("script", "xss", "comment", "iframe", "object"), f"the page has the element <{tag}>")
        check(not any(name.startswith("on") for name in element.attrib), f"<{tag}> has {dict(element.attrib)}")
        link = re.sub("[\0- ]", "", element.get("href", "")).lower()  # as browsers read it
        check(not link.startswith(("javascript:", "vbscript:", "data:")), f"<{tag}> links to {element.get('href')}")


def check(holds: bool, message: str) -> None:
    """Check a rule.

    Raises:
        BrokenRuleError: it does not hold.
    """
    if not holds:
        raise BrokenRuleError(message)
