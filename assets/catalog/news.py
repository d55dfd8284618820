"""Has a source changed since it was last asked? A cheap question, so that an ingest starts only when there is cause."""

import base64
import hashlib
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from assets.parameters.catalog import Beir, CatalogParameters, Demo, DemoShop, Source, Table, WordPress
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
        case Table():
            return _table(source, root)
        case Beir():
            return _beir(source, root)
        case Demo():
            return f"{read_seed(root)} {load('demo_shop', DemoShop, root).model_dump_json()}"


def _table(source: Table, root: Path) -> str:
    file = root / source.path
    if not file.is_file():
        raise NewsError(f"source {source.name}: {file} does not exist; correct params.yaml: catalog.sources")
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _beir(source: Beir, root: Path) -> str:
    folder = root / source.path
    if not folder.is_dir():
        raise NewsError(f"source {source.name}: {folder} does not exist; correct params.yaml: catalog.sources")
    files = sorted([*folder.glob("*.jsonl"), *folder.glob("qrels/*.tsv")])
    return " ".join(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)


def _wordpress(source: WordPress) -> str:
    """The newest post's time of change and how many posts there are (a deletion changes only that)."""
    query = urllib.parse.urlencode(
        {"orderby": "modified", "order": "desc", "per_page": 1, "_fields": "id,modified_gmt"}
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
