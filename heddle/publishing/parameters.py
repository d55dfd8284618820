"""Section `published_content`: which listings' content is written back to their WordPress site."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, load
from heddle.sources.parameters import CatalogParameters, SourceName, WordPress


class PublishedContentParameters(Section):
    """Which content is written back. Without this section nothing is written."""

    source: SourceName = Field(
        description="name of a source of kind wordpress that has username and application_password_env"
    )
    posts: Literal["all"] | Annotated[list[PositiveInt], Field(min_length=1)] = Field(
        default="all", description="all, or a list of numbers of the listings' posts"
    )
    status: Literal["draft", "pending"] = Field(
        default="draft", description="status of new posts; a person publishes them"
    )
    dry_run: bool = Field(default=True, description="print the plan and write nothing")


def chosen_source(settings: PublishedContentParameters, root: Path) -> WordPress:
    """The source whose site the content is written to.

    Raises:
        ParameterError: no source of kind wordpress has this name, or the source has no account.
    """
    sites = {each.name: each for each in load("catalog", CatalogParameters, root).sources if each.kind == "wordpress"}
    key, site = f"{root / PARAMS_FILE}: published_content.source", sites.get(settings.source)
    if site is None:
        allowed = ", ".join(sorted(sites)) or "none, as catalog.sources has none of kind wordpress"
        raise ParameterError(f"{key}: found {settings.source!r}, allowed: {allowed}")
    if site.application_password_env is None:
        raise ParameterError(f"{key}: {site.name} needs username and application_password_env to write drafts")
    return site
