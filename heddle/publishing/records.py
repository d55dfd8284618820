"""What the REST API tells of posts and terms, as far as it is read."""

import html
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError


class Raw(BaseModel):
    """A text as it is kept, before it is rendered."""

    raw: str = ""


Meta = Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})]  # PHP says [] for an empty object


class Post(BaseModel):
    """A post in the context ``edit``; a type of posts may lack some of this."""

    id: int
    status: str
    modified: str
    title: Raw = Raw()
    content: Raw = Raw()
    excerpt: Raw = Raw()
    tags: list[int] = []
    categories: list[int] = []
    featured_media: int = 0
    meta: Meta = {}

    @classmethod
    def asked(cls) -> str:
        """The API's ``_fields``: nothing is rendered for us."""
        texts = {"title", "content", "excerpt"}
        return ",".join(f"{name}.raw" if name in texts else name for name in cls.model_fields)

    @property
    def hashes(self) -> dict[str, str]:
        """Of each field as we wrote it; none where somebody spoilt them."""
        try:
            return TypeAdapter(dict[str, str]).validate_json(str(self.meta.get("heddle_hashes")))
        except ValidationError:
            return {}

    def text(self, name: str) -> str:
        """A text, or a custom field (``meta.seo_title``)."""
        if name.startswith("meta."):
            return str(self.meta.get(name.removeprefix("meta.")) or "")
        return str(getattr(self, name).raw)


class Term(BaseModel):
    """A tag or a category."""

    id: int
    name: Annotated[str, BeforeValidator(lambda name: html.unescape(str(name)))]


def marks(listing: str, hashes: dict[str, str]) -> dict[str, str]:
    """The custom fields by which we know what we wrote."""
    return {"heddle_listing": listing, "heddle_hashes": json.dumps(hashes, sort_keys=True)}
