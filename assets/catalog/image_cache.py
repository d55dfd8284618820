"""Cache images between crawls. As in :mod:`assets.catalog.http_cache`, each cached image is revalidated before use.

The server revalidates an image (304, by ETag or Last-Modified). If its response had neither header, the source may
revalidate it: an image can have a stamp, text that changes when the source knows that the image changed. An image that
was cached with the same stamp is used without a request.
"""

import hashlib
import json
import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from urllib3 import HTTPHeaderDict

CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""Response headers that allow revalidation, and the request headers that carry their values."""
_CACHED_HEADERS = (*CONDITIONS, "X-Robots-Tag")


@dataclass(frozen=True, slots=True)
class CachedImage:
    """An image of an earlier crawl."""

    headers: Mapping[str, list[str]]
    stamp: str | None
    body: bytes

    @property
    def conditions(self) -> dict[str, str]:
        """Request headers for revalidation; empty if the server cannot revalidate the image."""
        return {header: self.headers[name][0] for name, header in CONDITIONS.items() if name in self.headers}


class ImageCache:
    """One file per URL: a line of JSON, then the image. Files are written aside and renamed, so a kill is harmless."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, url: str) -> bool:
        return self._file(url).is_file()

    def get(self, url: str) -> CachedImage | None:
        """Return the cached image; None if there is none or it is damaged."""
        try:
            head, _, body = self._file(url).read_bytes().partition(b"\n")
            values = json.loads(head)
            if hashlib.sha256(body).hexdigest() == values["sha256"]:
                return CachedImage(values["headers"], values["stamp"], body)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def put(self, url: str, headers: HTTPHeaderDict, stamp: str | None, body: bytes) -> None:
        """Cache an image if it can be revalidated later and the server does not forbid caching."""
        cached = {name: headers.getlist(name) for name in _CACHED_HEADERS if name in headers}
        can_revalidate = stamp or cached.keys() & CONDITIONS.keys()
        if "no-store" in headers.get("Cache-Control", "").lower() or not can_revalidate:
            return
        head = {"url": url, "headers": cached, "stamp": stamp, "sha256": hashlib.sha256(body).hexdigest()}
        file = self._file(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{os.getpid()}.{threading.get_ident()}"
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + body)
        temporary.rename(file)

    def remove_all_but(self, used: Collection[bytes]) -> None:
        """Delete the entries whose :func:`hash_url` is not in `used`, and temporary files of killed processes."""
        for file in self._folder.glob("*/*"):
            if bytes.fromhex(file.parent.name + file.name) not in used:
                file.unlink(missing_ok=True)
        for file in self._folder.glob(".*"):
            file.unlink(missing_ok=True)

    def _file(self, url: str) -> Path:
        name = hash_url(url).hex()
        return self._folder / name[:2] / name[2:]


def hash_url(url: str) -> bytes:
    """Return the first 16 bytes of the URL's SHA-256."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()[:16]
