"""Section `published_content`: which listings' content goes back to the site that they came from."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, load
from heddle.sources.parameters import CatalogParameters, SourceName, WordPress


class PublishedContentParameters(Section):
    """What is written back; without this section nothing is."""

    source: SourceName = Field(description="a source of kind wordpress with username and application_password_env")
    posts: Literal["all"] | Annotated[list[PositiveInt], Field(min_length=1)] = Field(
        default="all", description="all, or numbers of the posts that the listings came from"
    )
    status: Literal["draft", "pending"] = Field(default="draft", description="of new posts; a person publishes them")
    dry_run: bool = Field(default=True, description="say what would change, and write nothing")


def chosen_source(settings: PublishedContentParameters, root: Path) -> WordPress:
    """The site to write to.

    Raises:
        ParameterError: there is no such source, it is no WordPress site, or it names no account.
    """
    sites = {each.name: each for each in load("catalog", CatalogParameters, root).sources if each.kind == "wordpress"}
    key, site = f"{root / PARAMS_FILE}: published_content.source", sites.get(settings.source)
    if site is None:
        allowed = ", ".join(sorted(sites)) or "none, as catalog.sources has none of kind wordpress"
        raise ParameterError(f"{key}: found {settings.source!r}, allowed: {allowed}")
    if site.application_password_env is None:
        raise ParameterError(f"{key}: {site.name} needs username and application_password_env: drafts have an author")
    return site
