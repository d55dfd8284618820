"""The content of a listing: the texts that the writer writes and a site publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heddle.content.html import parse_blocks, render_html
from lightning_modules.writer.content_fields import FIELDS, Value


@dataclass(frozen=True)
class Content:
    """The fields of :data:`lightning_modules.writer.content_fields.FIELDS`; missing ones are empty."""

    alt_text: str = ""
    caption: str = ""
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    seo_title: str = ""
    seo_description: str = ""
    body: str = ""
    """Sanitised HTML of paragraphs, headings and lists."""

    @classmethod
    def from_listing(cls, row: Mapping[str, Any]) -> "Content":
        """The seller's own texts, not cut; the body's markup is reduced to blocks."""
        values = {field.name: row.get(field.name) for field in FIELDS}
        return cls.from_fields({**values, "body": parse_blocks(values["body"] or "")})

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Content":
        """Content from the fields that :meth:`lightning_modules.writer.content_tokens.ContentTokens.decode` returns."""
        made: dict[str, Any] = {}
        for field in FIELDS:
            value = fields.get(field.name)
            if field.kind == "blocks":
                made[field.name] = render_html(value or ())
            else:
                made[field.name] = (value or "") if field.kind == "line" else tuple(value or ())
        return cls(**made)

    def fields(self) -> dict[str, Value]:
        """The fields that :meth:`lightning_modules.writer.content_tokens.ContentTokens.encode` takes."""
        values = {field.name: getattr(self, field.name) for field in FIELDS}
        return {**values, "tags": list(self.tags), "categories": list(self.categories), "body": parse_blocks(self.body)}

    def prose(self) -> str:
        """The description and the body as plain text, in which each block ends as a sentence."""
        texts = [self.description, *(text for _, text in parse_blocks(self.body))]
        return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts if text)

    def as_json(self) -> dict[str, Any]:
        """The content with the names of WordPress's REST API, valid under :data:`heddle.content.schema.SCHEMA`."""
        return {
            "title": self.title,
            "content": self.body,
            "excerpt": self.description,
            "tags": list(self.tags),
            "categories": list(self.categories),
            "featured_media": {"alt_text": self.alt_text, "caption": self.caption},
            "meta": {"seo_title": self.seo_title, "seo_description": self.seo_description},
        }
