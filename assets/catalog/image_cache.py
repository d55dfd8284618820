"""Keep images between crawls, on the same terms as pages (:mod:`assets.catalog.http_cache`): confirmed or not used.

It is the server that confirms (304, ETag and Last-Modified). Where its answer gave nothing to ask with, a source may: a
image bears a stamp, which is another one as soon as the source knows of a change, and one that was kept under the
same stamp is used without asking.
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
"""Headers of an answer with which a server can be asked whether it still holds, and what then is asked."""
_KEPT = (*CONDITIONS, "X-Robots-Tag")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer of an earlier crawl."""

    headers: Mapping[str, list[str]]
    stamp: str | None
    body: bytes

    @property
    def conditions(self) -> dict[str, str]:
        """What the server is asked with; nothing if it cannot be asked."""
        return {asked: self.headers[name][0] for name, asked in CONDITIONS.items() if name in self.headers}


class ImageCache:
    """One file for each address: a line of JSON, then the image. Written aside and renamed, so kills do no harm."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, url: str) -> bool:
        return self._file(url).is_file()

    def get(self, url: str) -> Kept | None:
        """What was kept; None if there is nothing, or it is damaged."""
        try:
            head, _, body = self._file(url).read_bytes().partition(b"\n")
            told = json.loads(head)
            if hashlib.sha256(body).hexdigest() == told["sha256"]:
                return Kept(told["headers"], told["stamp"], body)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def keep(self, url: str, headers: HTTPHeaderDict, stamp: str | None, body: bytes) -> None:
        """Keep an answer, if anybody can say later whether it still holds, and the server does not forbid it."""
        kept = {name: headers.getlist(name) for name in _KEPT if name in headers}
        if "no-store" in headers.get("Cache-Control", "").lower() or not (stamp or kept.keys() & CONDITIONS.keys()):
            return
        head = {"url": url, "headers": kept, "stamp": stamp, "sha256": hashlib.sha256(body).hexdigest()}
        file = self._file(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{os.getpid()}.{threading.get_ident()}"
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + body)
        temporary.rename(file)

    def remove_all_but(self, used: Collection[bytes]) -> None:
        """Forget what a crawl did not ask for, by :func:`key`, and what killed ones left behind."""
        for file in self._folder.glob("*/*"):
            if bytes.fromhex(file.parent.name + file.name) not in used:
                file.unlink(missing_ok=True)
        for file in self._folder.glob(".*"):
            file.unlink(missing_ok=True)

    def _file(self, url: str) -> Path:
        name = key(url).hex()
        return self._folder / name[:2] / name[2:]


def key(url: str) -> bytes:
    """An address, in few bytes."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()[:16]
