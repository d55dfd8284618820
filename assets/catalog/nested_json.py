"""Parse JSON from outside, which may be nested more deeply than Python can follow."""

import json
from typing import Any

_SPARE_CALLS = 50


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: the text is no JSON, or its values are nested too deeply: about 900 levels.
    """
    try:
        return _parse(text, _SPARE_CALLS)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error


def _parse(text: str | bytes, spare: int) -> Any:
    """Parse at the end of further calls, so that the quarantine can write what could just be parsed."""
    return _parse(text, spare - 1) if spare else json.loads(text)
