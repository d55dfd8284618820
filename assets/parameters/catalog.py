"""Parameters of the stage `catalog`: where listings come from and what is too large or too much alike."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, StringConstraints, model_validator

from assets.parameters.section import Section

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
EnvironmentVariable = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")]

ListingField = Literal[
    "url",
    "title",
    "description",
    "body",
    "tags",
    "categories",
    "alt_text",
    "caption",
    "seo_title",
    "seo_description",
    "product_class",
    "item",
    "material",
    "bin",
    "price",
    "objects",
    "relations",
    "site",
    "locale",
    "preferences",
    "created",
    "modified",
    "licence",
]
"""What a source may tell of a listing besides id and picture; `site`, `locale` and `preferences` are its context."""

TableName = Literal[
    "listings", "guides", "queries", "qrels", "conversations", "preferences", "nodes", "edges"
]  # every table but `images`, which follows from the listings


class Crawled(Section):
    """How a source is fetched over the network, politely."""

    contact: str | None = Field(
        default=None, min_length=3, description="mail or URL at which the site's owner reaches you"
    )
    delay: float = Field(default=0.25, ge=0, description="between two requests to one host, seconds")
    concurrency: int = Field(default=4, ge=1, le=64, description="requests to one host at the same time")
    timeout: float = Field(default=30, gt=0, description="of one request, seconds")
    retries: int = Field(default=4, ge=0, le=20, description="of a request that failed for a passing reason")
    back_off: float = Field(
        default=1, ge=0, description="before the first retry, seconds; doubles with each, at most 60"
    )
    time_limit: float = Field(default=6 * 3600, gt=0, description="of the whole crawl of this source, seconds")


class WordPress(Crawled):
    """Any WordPress site, through its REST API."""

    kind: Literal["wordpress"]
    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    url: HttpUrl = Field(description="of the site, without /wp-json")
    contact: str = Field(min_length=3, description="mail or URL at which the site's owner reaches you")
    posts: str = Field(
        default="posts", pattern=r"^[a-z0-9_-]+$", description="REST base of the listings: posts, products, …"
    )
    guides: str | None = Field(default=None, pattern=r"^[a-z0-9_-]+$", description="REST base of the guides, if any")
    per_page: int = Field(default=50, ge=1, le=100, description="posts on one page of the API (WordPress allows 100)")
    fields: dict[ListingField, str] = Field(
        default={}, description="listing field -> dotted path in a post, `acf.fabric`"
    )
    username: str | None = Field(default=None, description="of an application password, for a site that asks for one")
    application_password_env: EnvironmentVariable | None = Field(
        default=None, description="environment variable that holds the application password"
    )

    @model_validator(mode="after")
    def _credentials_are_complete(self) -> Self:
        if (self.username is None) != (self.application_password_env is None):
            raise ValueError("username and application_password_env belong together")
        return self


class Demo(Section):
    """The shop that comes with Heddle, served on the loopback interface and crawled as WordPress."""

    kind: Literal["demo"]
    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    concurrency: int = Field(default=16, ge=1, le=64, description="requests at the same time")


class Table(Crawled):
    """A CSV, TSV, Parquet or JSON Lines file; pictures by path or URL."""

    kind: Literal["table"]
    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    path: str = Field(min_length=1, description="of the file: .csv, .tsv, .parquet, .jsonl; relative to the project")
    columns: dict[str, str] = Field(min_length=1, description="field of the table -> column of the file")
    table: TableName = Field(default="listings", description="which table the file's rows belong to")


class Beir(Section):
    """Guides, queries and judgements in BEIR's layout."""

    kind: Literal["beir"]
    name: SourceName = Field(description="prefix of the guides' and queries' ids; never change it")
    path: str = Field(
        min_length=1, description="of the folder with corpus.jsonl, queries.jsonl, qrels/*.tsv; relative to the project"
    )


Source = Annotated[WordPress | Demo | Table | Beir, Field(discriminator="kind")]


class CatalogParameters(Section):
    """Section `catalog`."""

    sources: list[Source] = Field(min_length=1, description="in any order; each brings listings or another table")
    image_megabytes: float = Field(default=8, gt=0, description="largest picture that is taken, 10^6 bytes")
    image_megapixels: float = Field(default=64, gt=0, description="largest picture that is decoded, 10^6 pixels")
    near_duplicate_bits: int = Field(
        default=12, ge=0, le=64, description="pictures that differ in no more of 256 perceptual bits may be copies"
    )
    near_duplicate_colour: int = Field(
        default=24,
        ge=0,
        le=255,
        description="... and are, where no cell of an 8 x 8 grid differs by more, levels of 255",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        named = Counter((source.name, getattr(source, "table", "listings")) for source in self.sources)
        twice = sorted({name for (name, _), times in named.items() if times > 1})
        if twice:
            raise ValueError(f"two sources are named {', '.join(twice)}; ids would clash, rename one")
        return self


class DemoShop(Section):
    """Section `demo_shop`: how large the generated shop is."""

    listings: int = Field(ge=1, le=1_000_000, description="listings, planted faults included")
    guides: int = Field(ge=1, le=741, description="guides on reuse, repair and disposal")
