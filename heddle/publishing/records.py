"""Posts and terms of WordPress's REST API: the fields that Heddle reads."""

import html
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError


class RawText(BaseModel):
    """A text as it is stored, before WordPress renders it."""

    raw: str = ""


Meta = Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})]  # PHP writes an empty object as []


class Post(BaseModel):
    """A post in the context ``edit``. Some types of posts lack some of the fields."""

    id: int
    status: str
    modified: str
    title: RawText = RawText()
    content: RawText = RawText()
    excerpt: RawText = RawText()
    tags: list[int] = []
    categories: list[int] = []
    featured_media: int = 0
    meta: Meta = {}

    @classmethod
    def api_fields(cls) -> str:
        """Value of the API's parameter ``_fields``: these fields, unrendered."""
        texts = {"title", "content", "excerpt"}
        return ",".join(f"{name}.raw" if name in texts else name for name in cls.model_fields)

    @property
    def hashes(self) -> dict[str, str]:
        """Field to its hash as Heddle last wrote it; empty if the stored hashes are not valid."""
        try:
            return TypeAdapter(dict[str, str]).validate_json(str(self.meta.get("heddle_hashes")))
        except ValidationError:
            return {}

    def text(self, name: str) -> str:
        """Value of a text field or of a custom field (``meta.seo_title``)."""
        if name.startswith("meta."):
            return str(self.meta.get(name.removeprefix("meta.")) or "")
        return str(getattr(self, name).raw)


class Term(BaseModel):
    """A tag or a category."""

    id: int
    name: Annotated[str, BeforeValidator(lambda name: html.unescape(str(name)))]


def ownership_meta(listing: str, hashes: dict[str, str]) -> dict[str, str]:
    """The custom fields that mark a draft as written by Heddle."""
    return {"heddle_listing": listing, "heddle_hashes": json.dumps(hashes, sort_keys=True)}
