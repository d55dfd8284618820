"""Has a source changed since it was last asked? A cheap question, so that an ingest starts only when there is cause."""

import base64
import hashlib
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from email.message import Message
from pathlib import Path

import httpx
from huggingface_hub import HfApi
from huggingface_hub.constants import HF_HUB_OFFLINE

from assets.catalog.webdataset import local_tars
from assets.parameters.catalog import (
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
from assets.parameters.section import load
from assets.parameters.shared import read_seed


class NewsError(Exception):
    """A source could not be asked; the message says which and what it answered."""


def newest_changes(root: Path = Path()) -> str:
    """A token that is another one as soon as any source has a newer change.

    Raises:
        NewsError: a source does not answer, or not as its kind should.
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
            raise NewsError(f"source {name}: {file} does not exist; correct params.yaml: catalog.sources")
        told.append(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}")
    return " ".join(told)


def _in_folder(name: str, folder: Path, *patterns: str) -> list[Path]:
    if not folder.is_dir():
        raise NewsError(f"source {name}: {folder} does not exist; correct params.yaml: catalog.sources")
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
        raise NewsError(f"source {source.name}: the hub did not tell of {source.path}: {error}") from error


def _asked(name: str, url: str, manners: Crawled, method: str = "GET") -> tuple[bytes, Message]:
    """An answer's body, the first 50 MB, and its headers."""
    request = urllib.request.Request(url, method=method, headers={"User-Agent": f"Heddle (+{manners.contact})"})
    try:
        with urllib.request.urlopen(request, timeout=manners.timeout) as answer:
            return answer.read(50_000_000), answer.headers
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise NewsError(f"source {name}: {url} did not answer: {error}") from error


def _wordpress(source: WordPress) -> str:
    """The newest post's time of change and how many posts there are (a deletion changes only that)."""
    query = urllib.parse.urlencode(
        {"orderby": "modified", "order": "desc", "per_page": 1, "_fields": "id,modified_gmt"}
        | ({} if source.statuses == ["publish"] else {"status": ",".join(source.statuses)})
    )
    request = urllib.request.Request(f"{str(source.url).rstrip('/')}/wp-json/wp/v2/{source.posts}?{query}")
    request.add_header("User-Agent", f"Heddle (+{source.contact})")
    if source.username and source.application_password_env:
        password = os.environ.get(source.application_password_env, "")
        token = base64.b64encode(f"{source.username}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=source.timeout) as answer:
            posts, total = json.load(answer), answer.headers.get("X-WP-Total", "")
    except (urllib.error.URLError, TimeoutError, json.JSONDecodeError) as error:
        raise NewsError(
            f"source {source.name}: {request.full_url} did not answer as WordPress does: {error}"
        ) from error
    return f"{total} {posts[0]['id']} {posts[0]['modified_gmt']}" if posts else "0"
