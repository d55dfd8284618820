"""Detect cheaply which sources have changed, so that an ingest starts only when one has."""

import hashlib
import os
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from huggingface_hub import HfApi
from huggingface_hub.constants import HF_HUB_OFFLINE

from assets.catalog.addresses import BlockedAddressError
from assets.catalog.nested_json import parse_json
from assets.catalog.ssrf_httpx import open_client
from heddle.core.parameters.section import load
from heddle.core.parameters.shared import read_seed
from heddle.sources.locations import find_tars
from heddle.sources.parameters import (
    Beir,
    CatalogParameters,
    Coco,
    CrawlSettings,
    Demo,
    DemoShop,
    HuggingFace,
    Sitemap,
    Source,
    Table,
    VisualGenome,
    WebDataset,
    WordPress,
    Wxr,
)

MAX_RESPONSE_BYTES = 50_000_000  # the sitemap protocol's limit


class ChangeDetectionError(Exception):
    """A source could not be checked; the message contains its name and the failure."""


class SourceChanges(NamedTuple):
    """The result of asking all sources.

    Attributes:
        tokens: for each source that answered, a token that changes when the source changes.
        failures: for each other source, a message with its name and the failure.
    """

    tokens: dict[str, str]
    failures: dict[str, str]


def compute_change_tokens(root: Path = Path()) -> SourceChanges:
    """Compute a token for each source; a source that does not respond, or not validly, hides no other one."""
    found = SourceChanges({}, {})
    for source in load("catalog", CatalogParameters, root).sources:
        try:
            newest = _describe_newest_change(source, root)
            found.tokens[source.name] = hashlib.sha256(newest.encode()).hexdigest()[:16]
        except ChangeDetectionError as error:
            found.failures[source.name] = str(error)
    return found


def _describe_newest_change(source: Source, root: Path) -> str:
    match source:
        case WordPress():
            return _wordpress(source)
        case Table() | Wxr() | Coco():
            return _describe_files(source.name, [root / source.path])
        case Beir():
            return _describe_files(source.name, _find_files(source.name, root / source.path, "*.jsonl", "qrels/*.tsv"))
        case Demo():
            return f"{read_seed(root)} {load('demo_shop', DemoShop, root).model_dump_json()}"
        case WebDataset():
            return " ".join(_describe_tar(source, tar, root) for tar in source.tars)
        case HuggingFace():
            return _huggingface(source, root)
        case Sitemap():
            return hashlib.sha256(_request(source.name, str(source.url), source)[0]).hexdigest()
        case VisualGenome():
            paths = filter(None, (source.image_data, source.objects, source.relationships))
            return _describe_files(source.name, [root / path for path in paths])


def _describe_files(name: str, files: Iterable[Path]) -> str:
    """Return names, sizes and modification times of files."""
    states = []
    for file in files:
        if not file.is_file():
            raise ChangeDetectionError(f"source {name}: {file} does not exist; fix it in params.yaml: catalog.sources")
        states.append(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}")
    return " ".join(states)


def _find_files(name: str, folder: Path, *patterns: str) -> list[Path]:
    if not folder.is_dir():
        raise ChangeDetectionError(f"source {name}: {folder} does not exist; fix it in params.yaml: catalog.sources")
    return sorted(file for pattern in patterns for file in folder.glob(pattern) if file.is_file())


def _describe_tar(source: WebDataset, tar: str, root: Path) -> str:
    if "://" in tar:
        headers = _request(source.name, tar, source, "HEAD")[1]
        return " ".join(headers.get(name) or "" for name in ("ETag", "Last-Modified", "Content-Length"))
    return _describe_files(source.name, find_tars(tar, root) or [root / tar])


def _huggingface(source: HuggingFace, root: Path) -> str:
    """Return the commit of the hub's data set, or the state of a folder's files. Offline, the hub never changes."""
    if (root / source.path).is_dir():
        return _describe_files(source.name, _find_files(source.name, root / source.path, "**/*"))
    if HF_HUB_OFFLINE:
        return "offline"
    try:
        return str(HfApi().dataset_info(source.path, revision=source.revision).sha)
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise ChangeDetectionError(
            f"source {source.name}: the hub has no information about {source.path}: {error}"
        ) from error


def _request(
    name: str, url: str, politeness: CrawlSettings, method: str = "GET", **named: Any
) -> tuple[bytes, httpx.Headers]:
    """Return a response's body, up to 50 MB, and its headers."""
    body = b""
    try:
        with open_client(url, politeness) as client, client.stream(method, url, **named) as response:
            response.raise_for_status()
            for part in response.iter_bytes():
                body += part
                if len(body) > MAX_RESPONSE_BYTES:
                    raise ChangeDetectionError(f"source {name}: {url} sent more than {MAX_RESPONSE_BYTES:,} bytes")
            return body, response.headers
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChangeDetectionError(f"source {name}: request to {url} failed: {error}") from error
    except BlockedAddressError as error:
        remedy = "set `private_addresses: true` if the source is in your own network"
        raise ChangeDetectionError(f"source {name}: {url}: {error}; {remedy}") from error


def _wordpress(source: WordPress) -> str:
    """Return the number of posts, and id and modification time of the newest (a deletion changes only the number)."""
    query = {"orderby": "modified", "order": "desc", "per_page": 1, "_fields": "id,modified_gmt"}
    if source.statuses != ["publish"]:
        query["status"] = ",".join(source.statuses)
    url = f"{str(source.url).rstrip('/')}/wp-json/wp/v2/{source.posts}?{urllib.parse.urlencode(query)}"
    named: dict[str, Any] = {}
    if source.username and source.application_password_env:
        named["auth"] = (source.username, os.environ.get(source.application_password_env, ""))
    body, headers = _request(source.name, url, source, **named)
    try:
        posts = parse_json(body)
        newest = f"{posts[0]['id']} {posts[0]['modified_gmt']}" if posts else ""
    except (ValueError, LookupError, TypeError) as error:
        raise ChangeDetectionError(f"source {source.name}: {url} is no valid WordPress response: {error}") from error
    return f"{headers.get('X-WP-Total', '')} {newest}" if newest else "0"
