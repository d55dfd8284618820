"""Check that an output fits on the disk of DVC's cache, since DVC records an output that it could not cache."""

import hashlib
import shutil
from pathlib import Path

from heddle.core.errors import UserError

DVC_FOLDER = Path(".dvc")


class CacheDiskError(UserError):
    """The disk of DVC's cache is too full for an output."""


def check_cache_disk(output: Path) -> None:
    """Check that the disk of DVC's cache has room for the files of an output that the cache does not contain.

    On a full disk ``dvc repro`` prints an error, records the output in ``dvc.lock`` and exits with 0.

    Raises:
        CacheDiskError: with the disk and the missing bytes.
    """
    if not DVC_FOLDER.is_dir():
        return
    cache = _cache_folder()
    files = [file for file in output.rglob("*") if file.is_file()]
    free = shutil.disk_usage(next(folder for folder in (cache, *cache.parents) if folder.is_dir())).free
    if sum(file.stat().st_size for file in files) < free:
        return
    needed = sum(file.stat().st_size for file in files if not _is_cached(file, cache))
    if needed > free:
        raise CacheDiskError(
            f"{cache}: the output needs {needed:,} bytes in DVC's cache, but its disk has {free:,} free. "
            "Free space there or move the cache with `dvc cache dir`, then run again"
        )


def _cache_folder() -> Path:
    from dvc.config import Config

    return Path(Config(str(DVC_FOLDER.resolve()))["cache"].get("dir") or DVC_FOLDER.resolve() / "cache")


def _is_cached(file: Path, cache: Path) -> bool:
    with file.open("rb") as stream:
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    return (cache / "files/md5" / md5[:2] / md5[2:]).is_file()
