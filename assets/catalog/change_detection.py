"""Has a source changed since it was last asked? A cheap question, so that an ingest starts only when there is cause."""

import hashlib
import json
import os
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import HfApi
from huggingface_hub.constants import HF_HUB_OFFLINE

from assets.catalog.addresses import AddressRefusedError
from assets.catalog.client import client
from assets.catalog.webdataset import local_tars
from heddle.core.parameters.section import load
from heddle.core.parameters.shared import read_seed
from heddle.sources.parameters import (
    Beir,
    CatalogParameters,
    Coco,
    Crawled,
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

LARGEST = 50_000_000  # bytes of an answer; a sitemap may not be larger


class ChangeDetectionError(Exception):
    """A source could not be asked; the message says which and what it answered."""


def newest_changes(root: Path = Path()) -> str:
    """A token that is another one as soon as any source has a newer change.

    Raises:
        ChangeDetectionError: a source does not answer, or not as its kind should.
    """
    sources = load("catalog", CatalogParameters, root).sources
    changes = {source.name: _newest_change(source, root) for source in sources}
    return hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:16]


def _newest_change(source: Source, root: Path) -> str:
    match source:
        case WordPress():
            return _wordpress(source)
        case Table() | Wxr() | Coco():
            return _files(source.name, [root / source.path])
        case Beir():
            return _files(source.name, _in_folder(source.name, root / source.path, "*.jsonl", "qrels/*.tsv"))
        case Demo():
            return f"{read_seed(root)} {load('demo_shop', DemoShop, root).model_dump_json()}"
        case WebDataset():
            return " ".join(_tars(source, tar, root) for tar in source.tars)
        case HuggingFace():
            return _huggingface(source, root)
        case Sitemap():
            return hashlib.sha256(_asked(source.name, str(source.url), source)[0]).hexdigest()
        case VisualGenome():
            paths = filter(None, (source.image_data, source.objects, source.relationships))
            return _files(source.name, [root / path for path in paths])


def _files(name: str, files: Iterable[Path]) -> str:
    """Sizes and times of change."""
    told = []
    for file in files:
        if not file.is_file():
            raise ChangeDetectionError(f"source {name}: {file} does not exist; correct params.yaml: catalog.sources")
        told.append(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}")
    return " ".join(told)


def _in_folder(name: str, folder: Path, *patterns: str) -> list[Path]:
    if not folder.is_dir():
        raise ChangeDetectionError(f"source {name}: {folder} does not exist; correct params.yaml: catalog.sources")
    return sorted(file for pattern in patterns for file in folder.glob(pattern) if file.is_file())


def _tars(source: WebDataset, tar: str, root: Path) -> str:
    if "://" in tar:
        headers = _asked(source.name, tar, source, "HEAD")[1]
        return " ".join(headers.get(name) or "" for name in ("ETag", "Last-Modified", "Content-Length"))
    return _files(source.name, local_tars(tar, root) or [root / tar])


def _huggingface(source: HuggingFace, root: Path) -> str:
    """The commit that the hub's data set is at, or the folder's files. Offline there is never news from the hub."""
    if (root / source.path).is_dir():
        return _files(source.name, _in_folder(source.name, root / source.path, "**/*"))
    if HF_HUB_OFFLINE:
        return "offline"
    try:
        return str(HfApi().dataset_info(source.path, revision=source.revision).sha)
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise ChangeDetectionError(f"source {source.name}: the hub did not tell of {source.path}: {error}") from error


def _asked(name: str, url: str, manners: Crawled, method: str = "GET", **named: Any) -> tuple[bytes, httpx.Headers]:
    """An answer's body, up to 50 MB, and its headers."""
    body = b""
    try:
        with client(url, manners) as asking, asking.stream(method, url, **named) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise ChangeDetectionError(f"source {name}: {url} answered more than {LARGEST:,} bytes")
            return body, answer.headers
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChangeDetectionError(f"source {name}: {url} did not answer: {error}") from error
    except AddressRefusedError as error:
        remedy = "set `private_addresses: true` if it stands in your own network"
        raise ChangeDetectionError(f"source {name}: {error}; {remedy}") from error


def _wordpress(source: WordPress) -> str:
    """The newest post's time of change and how many posts there are (a deletion changes only that)."""
    query = urllib.parse.urlencode(
        {"orderby": "modified", "order": "desc", "per_page": 1, "_fields": "id,modified_gmt"}
        | ({} if source.statuses == ["publish"] else {"status": ",".join(source.statuses)})
    )
    url = f"{str(source.url).rstrip('/')}/wp-json/wp/v2/{source.posts}?{query}"
    named: dict[str, Any] = {}
    if source.username and source.application_password_env:
        named["auth"] = (source.username, os.environ.get(source.application_password_env, ""))
    body, headers = _asked(source.name, url, source, **named)
    try:
        posts = json.loads(body)
        newest = f"{posts[0]['id']} {posts[0]['modified_gmt']}" if posts else ""
    except (ValueError, LookupError, TypeError) as error:
        raise ChangeDetectionError(f"source {source.name}: {url} did not answer as WordPress does: {error}") from error
    return f"{headers.get('X-WP-Total', '')} {newest}" if newest else "0"
