"""Escape values in model cards, which are Markdown with HTML and tables."""

import re
from typing import Any

from jinja2 import Undefined
from markupsafe import Markup

from heddle.core.terminal import visible

SPECIAL = re.compile(
    r"[\\`*\[\]<>&|~$#!:@()=+]"  # code, emphasis, links, HTML, table cells, formulas, headings, addresses
    r"|(?<![a-z0-9])[-_.]|[-_.](?![a-z0-9])"  # list markers, rules, emphasis: not inside `cc-by-4.0` or `image_only`
    r"|(?<=www)\.",  # GitHub and Hugging Face make links of addresses without a scheme
    re.IGNORECASE | re.ASCII,
)


def escape(value: Any) -> Any:
    """Escape the value of an expression in a card, so that a renderer shows it literally and on one line.

    Jinja calls this function for each expression (``finalize``). Control characters are shown as
    :func:`heddle.core.terminal.visible` does. A card must not begin a line with a text, because `1` followed by `.` is
    a list. Numbers stay as they are, and so does :class:`Markup`: the results of `tojson` and `figure`.
    """
    if isinstance(value, Markup | Undefined | bool | int | float):
        return value
    line = visible(" ".join(str(value).split()))
    return Markup(SPECIAL.sub(r"\\\g<0>", line))  # noqa: S704 - escaped
