"""Parameters of the stage `catalog`: sources, size limits and duplicate detection."""

import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from heddle.core.parameters.section import UNQUOTED, Section

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


def _without_password(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise PydanticCustomError(
            UNQUOTED, "contains a user or password, which would be written to dvc.lock; remove it from the URL"
        )
    return url


SiteUrl = Annotated[HttpUrl, AfterValidator(_without_password)]
DuplicateRule = Literal["same_image_and_text", "same_image", "none"]
"""What a listing must repeat of an older one to be dropped: the image nearly; title, description and body exactly."""
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
"""Fields of a listing besides id and image; `site`, `locale` and `preferences` are its context."""

TableName = Literal[
    "listings", "guides", "queries", "qrels", "conversations", "preferences", "nodes", "edges"
]  # all tables except `images`, which is derived from the listings


AllowOutside = Annotated[
    bool,
    Field(description="allow local images outside of the source's folder; DVC does not watch these files"),
]


class CrawlSettings(Section):
    """Limits of the requests to a source's hosts."""

    contact: str | None = Field(
        default=None, min_length=3, description="mail address or URL for the site's owner, sent in the user agent"
    )
    delay: float = Field(default=0.25, ge=0, description="seconds between two requests to one host")
    concurrency: int = Field(default=4, ge=1, le=64, description="concurrent requests to one host")
    timeout: float = Field(default=30, gt=0, description="timeout of one request, seconds")
    retries: int = Field(default=4, ge=0, le=20, description="retries of a request after a temporary failure")
    back_off: float = Field(
        default=1, ge=0, description="seconds before the first retry; doubles with each retry, at most 60"
    )
    time_limit: float = Field(
        default=6 * 3600, gt=0, description="time limit of the whole crawl of this source, seconds"
    )
    host_requests: int = Field(
        default=1_000_000, ge=1, description="most requests to one host in a crawl; further records are quarantined"
    )
    host_gigabytes: float = Field(
        default=1_000, gt=0, description="most data from one host in a crawl, 10^9 bytes before decompression"
    )
    private_addresses: bool = Field(
        default=False, description="allow private and loopback addresses, for a site in your own network"
    )


class WordPress(CrawlSettings):
    """Any WordPress site, through its REST API."""

    kind: Literal["wordpress"]
    name: SourceName = Field(description="prefix of the listings' ids; do not change it later")
    url: SiteUrl = Field(description="URL of the site, without /wp-json")
    contact: str = Field(min_length=3, description="mail address or URL for the site's owner, sent in the user agent")
    posts: str = Field(
        default="posts", pattern=r"^[a-z0-9_-]+$", description="REST base of the listings: posts, products, …"
    )
    guides: str | None = Field(default=None, pattern=r"^[a-z0-9_-]+$", description="REST base of the guides, if any")
    per_page: int = Field(default=50, ge=1, le=100, description="posts on one page of the API (WordPress allows 100)")
    statuses: list[Literal["publish", "future", "draft", "pending", "private"]] = Field(
        default=["publish"],
        min_length=1,
        description="statuses of the posts to read; statuses other than publish need a password",
    )
    images: Literal["main", "all"] = Field(
        default="main",
        description="main: the featured image, else the first in the content; all: each further image is a listing",
    )
    fields: dict[ListingField, str] = Field(
        default={}, description="listing field -> dotted path in a post, `acf.fabric`"
    )
    username: str | None = Field(default=None, description="user of an application password, if the site needs one")
    application_password_env: EnvironmentVariable | None = Field(
        default=None, description="environment variable that holds the application password"
    )

    @model_validator(mode="after")
    def _credentials_are_complete(self) -> Self:
        if (self.username is None) != (self.application_password_env is None):
            raise ValueError("set both username and application_password_env, or neither")
        if set(self.statuses) != {"publish"} and self.username is None:
            raise ValueError("statuses other than publish need a user who may edit these posts: set username")
        return self


class Demo(Section):
    """The generated demo shop, served on the loopback interface and crawled like a WordPress site."""

    kind: Literal["demo"]
    name: SourceName = Field(description="prefix of the listings' ids; do not change it later")
    concurrency: int = Field(default=16, ge=1, le=64, description="concurrent requests")


class Mapped(CrawlSettings):
    """Records whose columns are mapped to fields; images are paths or URLs."""

    name: SourceName = Field(description="prefix of the listings' ids; do not change it later")
    columns: dict[str, str] = Field(min_length=1, description="field of the table -> column of the source")
    table: TableName = Field(default="listings", description="table of the records")


class Table(Mapped):
    """A CSV, TSV, Parquet or JSON Lines file."""

    kind: Literal["table"]
    path: str = Field(
        min_length=1, description="path of the file: .csv, .tsv, .parquet, .jsonl; relative to the project"
    )
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="character between the cells of a CSV; default: detected"
    )
    encoding: str | None = Field(
        default=None,
        min_length=1,
        description="encoding of a CSV: utf-8, utf-16, cp1252, …; default: detected, or guessed",
    )
    outside: AllowOutside = False


class HuggingFace(Mapped):
    """A data set of the Hugging Face hub, or a folder that the library `datasets` reads."""

    kind: Literal["huggingface"]
    path: str = Field(
        min_length=1,
        description="id on the hub (`owner/name`), or a folder of `save_to_disk` or of files of one format",
    )
    config: str | None = Field(default=None, description="configuration of the data set, if it has several")
    split: str = Field(default="train", pattern=r"^\w+$", description="split of the data set")
    revision: str | None = Field(default=None, description="commit, tag or branch on the hub; default: the newest")
    outside: AllowOutside = False


class WebDataset(Mapped):
    """Tars of samples (`key.jpg`, `key.txt`, `key.json`), as img2dataset writes them; each sample is a listing."""

    kind: Literal["webdataset"]
    tars: list[Annotated[str, StringConstraints(min_length=1)]] = Field(
        min_length=1,
        description="paths relative to the project, with * for several, or http(s) URLs; .tar, .tar.gz",
    )
    columns: dict[str, str] = Field(
        default={}, description="listing field -> ending (`txt`) or key in JSON (`json.caption`); `__key__` is the id"
    )
    table: Literal["listings"] = "listings"
    tar_megabytes: float = Field(
        default=512, gt=0, description="largest tar to fetch, 10^6 bytes; it is held in memory"
    )


class Sitemap(CrawlSettings):
    """The pages of a site: sitemap, JSON-LD, Open Graph, main text."""

    kind: Literal["sitemap"]
    name: SourceName = Field(description="prefix of the listings' ids; do not change it later")
    url: SiteUrl = Field(description="URL of the sitemap or sitemap index, also .gz")
    contact: str = Field(min_length=3, description="mail address or URL for the site's owner, sent in the user agent")
    listings: str = Field(default="", description="regular expression that matches URLs of listings: `/shop/`")
    guides: str | None = Field(
        default=None, description="regular expression that matches URLs of guides, if any: `/blog/`"
    )
    pages: int = Field(default=50_000, ge=1, description="most pages to request")

    @field_validator("listings", "guides")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"invalid regular expression: {error}") from error
        return pattern


class Wxr(CrawlSettings):
    """A WordPress site's export file (Tools > Export)."""

    kind: Literal["wxr"]
    name: SourceName = Field(description="prefix of the listings' ids; do not change it later")
    path: str = Field(min_length=1, description="path of the .xml file; relative to the project")
    contact: str = Field(
        min_length=3, description="mail address or URL for the owner of the images' site, sent in the user agent"
    )
    posts: list[str] = Field(default=["post"], min_length=1, description="post types of listings")
    guides: str | None = Field(default=None, description="post type of guides, if any: page")
    fields: dict[ListingField, str] = Field(default={}, description="listing field -> custom field of the posts")


class Annotations(Section):
    """Annotations of images in a separate file, joined to the listings of another source or with a folder of images."""

    name: SourceName = Field(description="prefix of the ids of listings and annotations; do not change it later")
    annotates: SourceName | None = Field(default=None, description="source whose listings are annotated")
    join: Literal["file_name", "id"] = Field(
        default="file_name",
        description="join by the file name of the image, or by the ids of listing and image",
    )
    images: str | None = Field(default=None, description="folder of the images, which become listings of their own")
    outside: AllowOutside = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.annotates is None) == (self.images is None):
            raise ValueError("set either `annotates`, a source's name, or `images`, a folder")
        return self


class Coco(Annotations):
    """Objects (and captions) in COCO's JSON."""

    kind: Literal["coco"]
    path: str = Field(min_length=1, description="path of the file, instances_*.json; relative to the project")


class VisualGenome(Annotations):
    """Objects and relationships in Visual Genome's JSON."""

    kind: Literal["visual_genome"]
    image_data: str = Field(min_length=1, description="image_data.json: ids, URLs and sizes of the images")
    objects: str = Field(min_length=1, description="objects.json, or scene graphs' attributes.json")
    relationships: str | None = Field(default=None, description="relationships.json")


class Beir(Section):
    """Guides, queries and judgements in BEIR's layout."""

    kind: Literal["beir"]
    name: SourceName = Field(description="prefix of the guides' and queries' ids; do not change it later")
    path: str = Field(
        min_length=1,
        description="path of the folder with corpus.jsonl, queries.jsonl, qrels/*.tsv; relative to the project",
    )


Source = Annotated[
    WordPress | Demo | Table | Beir | WebDataset | HuggingFace | Sitemap | Wxr | Coco | VisualGenome,
    Field(discriminator="kind"),
]


class CatalogParameters(Section):
    """Section `catalog`."""

    sources: list[Source] = Field(
        min_length=1, description="sources in any order; each contains listings or another table"
    )
    image_megabytes: float = Field(default=8, gt=0, description="largest accepted image file, 10^6 bytes")
    image_megapixels: float = Field(default=64, gt=0, description="largest decoded image, 10^6 pixels")
    duplicates: DuplicateRule = Field(
        default="same_image_and_text", description="listings are dropped that repeat this of an older listing"
    )
    max_hash_distance: int = Field(
        default=12,
        ge=0,
        le=64,
        description="images are nearly the same if they differ in at most this many of 256 bits of the perceptual hash",
    )
    max_colour_distance: int = Field(
        default=24,
        ge=0,
        le=255,
        description="and if they differ by at most this in each cell of an 8 x 8 colour grid, levels of 255",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        named = Counter((source.name, getattr(source, "table", "listings")) for source in self.sources)
        twice = sorted({name for (name, _), times in named.items() if times > 1})
        if twice:
            raise ValueError(f"duplicate source name {', '.join(twice)}: ids would clash; rename one source")
        return self


class DemoShop(Section):
    """Section `demo_shop`: size of the generated shop."""

    listings: int = Field(ge=1, le=1_000_000, description="listings, including those with planted faults")
    guides: int = Field(ge=1, le=741, description="guides on reuse, repair and disposal")
