"""A listing's words as content: what the writer writes and a site publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heddle.content.html import blocks_of, html_of
from lightning_modules.writer.content_fields import FIELDS, Value


@dataclass(frozen=True)
class Content:
    """The fields of :data:`lightning_modules.writer.content_fields.FIELDS`; absent ones are empty."""

    alt_text: str = ""
    caption: str = ""
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    seo_title: str = ""
    seo_description: str = ""
    body: str = ""
    """HTML of paragraphs, headings and lists, safe to publish."""

    @classmethod
    def from_listing(cls, row: Mapping[str, Any]) -> "Content":
        """A listing's own words, not cut; its body's markup comes down to blocks."""
        values = {field.name: row.get(field.name) for field in FIELDS}
        return cls.from_fields({**values, "body": blocks_of(values["body"] or "")})

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Content":
        """Content from what :meth:`lightning_modules.writer.content_tokens.ContentTokens.decode` gives."""
        made: dict[str, Any] = {}
        for field in FIELDS:
            value = fields.get(field.name)
            if field.kind == "blocks":
                made[field.name] = html_of(value or ())
            else:
                made[field.name] = (value or "") if field.kind == "line" else tuple(value or ())
        return cls(**made)

    def fields(self) -> dict[str, Value]:
        """What :meth:`lightning_modules.writer.content_tokens.ContentTokens.encode` takes."""
        values = {field.name: getattr(self, field.name) for field in FIELDS}
        return {**values, "tags": list(self.tags), "categories": list(self.categories), "body": blocks_of(self.body)}

    def prose(self) -> str:
        """What a person reads from start to end: the description and the body, each block closed as a sentence is."""
        texts = [self.description, *(text for _, text in blocks_of(self.body))]
        return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts if text)

    def as_json(self) -> dict[str, Any]:
        """The content under the names of WordPress's REST API; :data:`heddle.content.schema.SCHEMA` describes it."""
        return {
            "title": self.title,
            "content": self.body,
            "excerpt": self.description,
            "tags": list(self.tags),
            "categories": list(self.categories),
            "featured_media": {"alt_text": self.alt_text, "caption": self.caption},
            "meta": {"seo_title": self.seo_title, "seo_description": self.seo_description},
        }
