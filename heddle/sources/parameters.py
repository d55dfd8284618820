"""Parameters of the stage `catalog`: where listings come from and what is too large or too much alike."""

import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, StringConstraints, field_validator, model_validator

from heddle.core.parameters.section import Section

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
"""What a source may tell of a listing besides id and image; `site`, `locale` and `preferences` are its context."""

TableName = Literal[
    "listings", "guides", "queries", "qrels", "conversations", "preferences", "nodes", "edges"
]  # every table but `images`, which follows from the listings


class CrawlSettings(Section):
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
    host_requests: int = Field(
        default=1_000_000, ge=1, description="most requests to one host in a crawl; what is beyond is quarantined"
    )
    host_gigabytes: float = Field(
        default=1_000, gt=0, description="... and most that one host may send, 10^9 bytes as transferred"
    )
    private_addresses: bool = Field(
        default=False, description="a site in one's own network may be asked: private and loopback addresses"
    )


class WordPress(CrawlSettings):
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
    statuses: list[Literal["publish", "future", "draft", "pending", "private"]] = Field(
        default=["publish"], min_length=1, description="of the posts that are taken; all but publish need a password"
    )
    images: Literal["main", "all"] = Field(
        default="main",
        description="main: the featured image, else the first in the content; all: each further one, a listing too",
    )
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
        if set(self.statuses) != {"publish"} and self.username is None:
            raise ValueError("statuses other than publish are shown to people who may edit them: name a username")
        return self


class Demo(Section):
    """The shop that comes with Heddle, served on the loopback interface and crawled as WordPress."""

    kind: Literal["demo"]
    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    concurrency: int = Field(default=16, ge=1, le=64, description="requests at the same time")


class Mapped(CrawlSettings):
    """Records whose columns are mapped to fields; images by path or URL."""

    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    columns: dict[str, str] = Field(min_length=1, description="field of the table -> column of the source")
    table: TableName = Field(default="listings", description="which table the records belong to")


class Table(Mapped):
    """A CSV, TSV, Parquet or JSON Lines file."""

    kind: Literal["table"]
    path: str = Field(min_length=1, description="of the file: .csv, .tsv, .parquet, .jsonl; relative to the project")


class HuggingFace(Mapped):
    """A data set of the Hugging Face hub, or a folder that `datasets` reads."""

    kind: Literal["huggingface"]
    path: str = Field(
        min_length=1, description="id on the hub (`owner/name`), or folder: of `save_to_disk` or of files of one format"
    )
    config: str | None = Field(default=None, description="the data set's configuration, where it has several")
    split: str = Field(default="train", pattern=r"^\w+$", description="which part of it")
    revision: str | None = Field(default=None, description="commit, tag or branch on the hub; none: the newest")


class WebDataset(Mapped):
    """Tars whose members of one key make one listing: `key.jpg`, `key.txt`, `key.json`, as img2dataset writes them."""

    kind: Literal["webdataset"]
    tars: list[Annotated[str, StringConstraints(min_length=1)]] = Field(
        min_length=1,
        description="paths relative to the project, with * for several, or http(s) addresses; .tar, .tar.gz",
    )
    columns: dict[str, str] = Field(
        default={}, description="listing field -> ending (`txt`) or key in JSON (`json.caption`); `__key__` is the id"
    )
    table: Literal["listings"] = "listings"
    tar_megabytes: float = Field(default=512, gt=0, description="largest tar that is fetched, 10^6 bytes of memory")


class Sitemap(CrawlSettings):
    """Any site, page by page: sitemap, JSON-LD, Open Graph, main text."""

    kind: Literal["sitemap"]
    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    url: HttpUrl = Field(description="of the sitemap or the index of sitemaps; .gz too")
    contact: str = Field(min_length=3, description="mail or URL at which the site's owner reaches you")
    listings: str = Field(default="", description="regular expression found in the addresses of listings: `/shop/`")
    guides: str | None = Field(default=None, description="... and in those of guides, if there are any: `/blog/`")
    pages: int = Field(default=50_000, ge=1, description="the most that are asked for")

    @field_validator("listings", "guides")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern


class Wxr(CrawlSettings):
    """A WordPress site's export file (Tools > Export)."""

    kind: Literal["wxr"]
    name: SourceName = Field(description="prefix of the listings' ids; never change it")
    path: str = Field(min_length=1, description="of the .xml file; relative to the project")
    contact: str = Field(min_length=3, description="mail or URL at which the owner of the images' site reaches you")
    posts: list[str] = Field(default=["post"], min_length=1, description="types of the posts that are listings")
    guides: str | None = Field(default=None, description="type of the posts that are guides, if any: page")
    fields: dict[ListingField, str] = Field(default={}, description="listing field -> custom field of the posts")


class Annotations(Section):
    """What is in images, told by a file of its own: joined to the listings of another source, or with images."""

    name: SourceName = Field(description="prefix of the ids of listings and of annotations; never change it")
    annotates: SourceName | None = Field(default=None, description="the source whose listings are annotated")
    join: Literal["file_name", "id"] = Field(
        default="file_name",
        description="a listing is meant if its image's file is called as the annotated one, or its id is the image's",
    )
    images: str | None = Field(default=None, description="folder of the images, to make listings of them instead")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.annotates is None) == (self.images is None):
            raise ValueError("give `annotates`, a source's name, or `images`, a folder; one of the two")
        return self


class Coco(Annotations):
    """Objects (and captions) in COCO's JSON."""

    kind: Literal["coco"]
    path: str = Field(min_length=1, description="of the file, instances_*.json; relative to the project")


class VisualGenome(Annotations):
    """Objects and relationships in Visual Genome's JSON."""

    kind: Literal["visual_genome"]
    image_data: str = Field(min_length=1, description="image_data.json: the images' ids, addresses and sizes")
    objects: str = Field(min_length=1, description="objects.json, or scene graphs' attributes.json")
    relationships: str | None = Field(default=None, description="relationships.json")


class Beir(Section):
    """Guides, queries and judgements in BEIR's layout."""

    kind: Literal["beir"]
    name: SourceName = Field(description="prefix of the guides' and queries' ids; never change it")
    path: str = Field(
        min_length=1, description="of the folder with corpus.jsonl, queries.jsonl, qrels/*.tsv; relative to the project"
    )


Source = Annotated[
    WordPress | Demo | Table | Beir | WebDataset | HuggingFace | Sitemap | Wxr | Coco | VisualGenome,
    Field(discriminator="kind"),
]


class CatalogParameters(Section):
    """Section `catalog`."""

    sources: list[Source] = Field(min_length=1, description="in any order; each brings listings or another table")
    image_megabytes: float = Field(default=8, gt=0, description="largest image that is taken, 10^6 bytes")
    image_megapixels: float = Field(default=64, gt=0, description="largest image that is decoded, 10^6 pixels")
    max_hash_distance: int = Field(
        default=12, ge=0, le=64, description="images that differ in no more of 256 perceptual bits may be copies"
    )
    max_colour_distance: int = Field(
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
