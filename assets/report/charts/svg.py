"""Small SVG by hand: elements, number formats and ticks. Colours come from the page's style sheet by class name."""

import math
from itertools import pairwise

from markupsafe import Markup, escape


def element(tag: str, content: Markup | str = "", /, **attributes: str | float) -> Markup:
    """``<tag attributes>content</tag>``; text and attribute values are escaped, `class_` and `text_anchor` spelt so."""
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"' for name, value in attributes.items()
    )
    return Markup(f"<{tag}{pairs}>{escape(content)}</{tag}>")  # noqa: S704 - values are escaped, tags are constants


def text(content: str, x: float, y: float, anchor: str = "middle", class_: str = "tick") -> Markup:
    """A line of text whose baseline starts, ends or is centred at (x, y)."""
    return element("text", content, x=x, y=y, text_anchor=anchor, class_=class_)


def drawing(width: float, height: float, label: str, *parts: Markup, class_: str = "chart") -> Markup:
    """The ``<svg>`` itself; `label` says in words what is to be seen, for those who cannot see it."""
    return element(
        "svg",
        Markup("").join(parts),
        viewBox=f"0 0 {short(width)} {short(height)}",
        role="img",
        aria_label=label,
        class_=class_,
        **{"width": width, "height": height},
    )


def path(points: list[tuple[float, float]], class_: str) -> Markup:
    """Straight lines from point to point."""
    steps = " ".join(f"{'L' if i else 'M'}{short(x)} {short(y)}" for i, (x, y) in enumerate(points))
    return element("path", d=steps, class_=class_)


def short(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def readable(value: float) -> str:
    """A number for a person: counts with thousands apart, measurements with three decimals or four figures."""
    if isinstance(value, int) or (value.is_integer() and abs(value) > 1):
        return f"{int(value):,}"
    if 0 < abs(value) < 0.001:
        digits, exponent = f"{value:.1e}".split("e")
        return f"{digits.removesuffix('.0')}e{int(exponent)}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value)))) if abs(value) >= 10 else 3
    return f"{value:,.{decimals}f}"


def counted(count: int, thing: str) -> str:
    """``1 guide``, ``300 guides``."""
    return f"{readable(count)} {thing}{'' if count == 1 else 's'}"


def ticks(low: float, high: float, about: int = 4, least: float = 0) -> list[float]:
    """Round numbers in [low, high], 1, 2 or 5 times a power of ten apart, at least `least`."""
    if not high > low:
        return [low]
    rough = max((high - low) / about, least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def alike(values: list[float]) -> list[str]:
    """Ticks as text, all with as many decimals as telling them apart takes."""
    step = min((abs(b - a) for a, b in pairwise(values)), default=0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 3
    return [f"{value:,.{decimals}f}" if step else readable(value) for value in values]


def _attribute(value: str | float) -> str:
    return value if isinstance(value, str) else short(value)
