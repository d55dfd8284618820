"""The published form of content as JSON, and what is wrong with content that has not got it.

``docs/content.schema.json`` is :data:`SCHEMA`, word for word. Lengths are in Unicode code points, as JSON Schema counts
them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from heddle.content.html import blocks_of, html_of
from lightning_modules.writer.content_fields import FIELDS, FORBIDDEN

SCHEMA_FILE = Path("docs/content.schema.json")
_FIELD = {field.name: field for field in FIELDS}
_CONTROLS = {"pattern": "[\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]"}
_BLOCK = "(?:<p>[^<>\\n]+</p>|<h2>[^<>\\n]+</h2>|<ul>(?:<li>[^<>\\n]+</li>)+</ul>)"
_ESCAPED = len("&amp;")
"""Characters at most that one character of text takes in HTML."""
_TAGS = len("<ul><li></li></ul>\n")
"""Characters at most that a block takes besides its text."""


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
    """What keeps content from being published, each with the place where it stands; empty if nothing does.

    Beyond the schema: no text holds a forbidden character, the HTML is what its own blocks give (so that a sanitiser
    finds nothing to change), and its blocks keep to their number and to the length of all their text together.
    """
    found = [f"{_place(error.absolute_path)}: {error.message}" for error in _VALIDATOR.iter_errors(content)]
    if found:
        return sorted(found)
    body = _FIELD["body"]
    blocks = blocks_of(content["content"])
    length = sum(len(text) for _, text in blocks)
    if html_of(blocks) != content["content"]:
        found.append("content: a sanitiser would change the HTML")
    if len(blocks) > body.most:
        found.append(f"content: {len(blocks)} blocks, at most {body.most} may be there")
    if length > body.limit:
        found.append(f"content: {length} characters of text, at most {body.limit} may be there")
    found += [
        f"{place}: forbidden character {min(bad)!r}" for place, text in _texts(content) if (bad := set(text) & _NEVER)
    ]
    return found


def schema_text() -> str:
    """The schema as the file has it."""
    return json.dumps(SCHEMA, indent=2, ensure_ascii=True) + "\n"


def _place(path: Any) -> str:
    return ".".join(map(str, path)) or "content as a whole"


def _texts(content: Mapping[str, Any], place: str = "") -> list[tuple[str, str]]:
    """Each text of valid content but the HTML, with its place."""
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            found += _texts(value, f"{place}{name}.")
        elif name != "content":
            found += [(f"{place}{name}", text) for text in ([value] if isinstance(value, str) else value)]
    return found
