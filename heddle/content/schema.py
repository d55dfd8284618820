"""The JSON Schema of published content, and its validation.

``docs/content.schema.json`` is a copy of :data:`SCHEMA`. Lengths are in Unicode code points, as in JSON Schema.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from heddle.content.html import parse_blocks, render_html
from lightning_modules.writer.content_fields import FIELDS, FORBIDDEN

SCHEMA_FILE = Path("docs/content.schema.json")
_FIELD = {field.name: field for field in FIELDS}
_CONTROLS = {"pattern": "[\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]"}
_BLOCK = "(?:<p>[^<>\\n]+</p>|<h2>[^<>\\n]+</h2>|<ul>(?:<li>[^<>\\n]+</li>)+</ul>)"
_ESCAPED = len("&amp;")
"""Most characters of HTML for one character of text."""
_TAGS = len("<ul><li></li></ul>\n")
"""Most characters of HTML for a block besides its text."""


def _line(name: str, description: str) -> dict[str, Any]:
    field = _FIELD[name]
    return {
        "type": "string",
        "description": description,
        "minLength": int(field.required),
        "maxLength": field.limit,
        "not": _CONTROLS,
    }


def _list(name: str, description: str) -> dict[str, Any]:
    field = _FIELD[name]
    item = {"type": "string", "minLength": 1, "maxLength": field.limit, "not": _CONTROLS}
    return {"type": "array", "description": description, "maxItems": field.most, "uniqueItems": True, "items": item}


def _object(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    form = {"type": "object", "properties": dict(properties), "required": list(properties)}
    return {**more, **form, "additionalProperties": False}


_BODY = {
    "type": "string",
    "description": "The body: paragraphs, headings and lists in HTML that needs no cleaning.",
    "minLength": 1,
    "maxLength": _FIELD["body"].limit * _ESCAPED + _FIELD["body"].most * _TAGS,
    "pattern": f"^(?:{_BLOCK}\\n)*{_BLOCK}$",
}
SCHEMA: dict[str, Any] = _object(
    {
        "title": _line("title", "The post's title, plain text."),
        "content": _BODY,
        "excerpt": _line("description", "A short description, plain text."),
        "tags": _list("tags", "Names of tags."),
        "categories": _list("categories", "Names of categories."),
        "featured_media": _object(
            {
                "alt_text": _line("alt_text", "What the image shows, for those who do not see it."),
                "caption": _line("caption", "What stands below the image."),
            }
        ),
        "meta": _object(
            {
                "seo_title": _line("seo_title", "The title that search engines show."),
                "seo_description": _line("seo_description", "The text that search engines show below it."),
            }
        ),
    },
    **{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Content of a listing"},
)
"""JSON Schema 2020-12 of :meth:`heddle.content.content.Content.as_json`."""

_VALIDATOR = Draft202012Validator(SCHEMA)
_NEVER = frozenset(chr(code) for first, last in FORBIDDEN for code in range(first, last + 1))


def problems(content: Mapping[str, Any]) -> list[str]:
    """The errors of content, each with its JSON path; empty if the content is valid.

    Beyond the schema, texts must not contain forbidden characters, the HTML must equal the rendering of its own blocks
    (so a sanitiser does not change it), and the blocks must keep the limits of their number and total length.
    """
    found = [f"{_json_path(error.absolute_path)}: {error.message}" for error in _VALIDATOR.iter_errors(content)]
    if found:
        return sorted(found)
    body = _FIELD["body"]
    blocks = parse_blocks(content["content"])
    length = sum(len(text) for _, text in blocks)
    if render_html(blocks) != content["content"]:
        found.append("content: a sanitiser would change the HTML")
    if len(blocks) > body.most:
        found.append(f"content: found {len(blocks)} blocks, allowed: at most {body.most}")
    if length > body.limit:
        found.append(f"content: found {length} characters of text, allowed: at most {body.limit}")
    found += [
        f"{place}: forbidden character {min(bad)!r}" for place, text in _texts(content) if (bad := set(text) & _NEVER)
    ]
    return found


def schema_text() -> str:
    """The content of the schema file."""
    return json.dumps(SCHEMA, indent=2, ensure_ascii=True) + "\n"


def _json_path(path: Any) -> str:
    return ".".join(map(str, path)) or "content as a whole"


def _texts(content: Mapping[str, Any], place: str = "") -> list[tuple[str, str]]:
    """Each text of valid content except the HTML, with its path."""
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            found += _texts(value, f"{place}{name}.")
        elif name != "content":
            found += [(f"{place}{name}", text) for text in ([value] if isinstance(value, str) else value)]
    return found
