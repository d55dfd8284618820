"""Read samples from an untrusted tar in WebDataset's layout. Nothing is unpacked; memory holds one sample.

A sample consists of consecutive members with the same key: the name up to the first dot of its last part. The ending
is the rest after that dot. Source: https://github.com/webdataset/webdataset. The library itself reads members of any
size and stops silently at damage, so Python's `tarfile` is used, on a file object that limits each read and never
seeks back.
"""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_HEADER_BYTES = 1_000_000  # a larger name or extended header means damage
_BLOCK = 512
_SKIP_BYTES = 65_536  # read size while a member is skipped
_MAX_MEMBER_BYTES = 1_000_000_000  # reading stops at a larger member
_GZIP = b"\x1f\x8b"


@dataclass
class TarSample:
    """Members with the same key.

    Attributes:
        members: ending -> content, of the members that were read.
        endings: endings of all members, at most 100.
        fault: why the sample cannot be used, if so.
    """

    key: str
    members: dict[str, bytes] = field(default_factory=dict)
    endings: list[str] = field(default_factory=list)
    fault: str | None = None


@dataclass(frozen=True)
class TarDamage:
    """The tar is damaged; the detail says where."""

    detail: str


def read_samples(file: BinaryIO, is_wanted: Callable[[str], bool], max_bytes: int) -> Iterator[TarSample | TarDamage]:
    """Iterate over the samples of a tar, plain or gzipped, and its damage at the end, if any.

    Args:
        is_wanted: whether members with this ending are read.
        max_bytes: largest member; of a larger one, `max_bytes` + 1 bytes are read.
    """
    sample: TarSample | None = None
    try:
        for member in _read_members(file, max(max_bytes + 1, MAX_HEADER_BYTES)):
            key, ending = split_name(member.info.name)
            if sample is not None and key != sample.key:
                yield sample
                sample = None
            sample = sample or TarSample(key)
            _add(sample, ending, member, is_wanted, max_bytes)
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        detail = f"damaged: {str(error) or type(error).__name__}"
        if sample is not None:
            sample.fault = f"the tar is {detail}, so this sample may be incomplete"
            yield sample
        yield TarDamage(detail)
        return
    if sample is not None:
        yield sample


def split_name(name: str) -> tuple[str, str]:
    """Split a member's name into key and ending: `a/b.seg.png` into `a/b` and `seg.png`."""
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return f"{folder}{slash}{stem}", ending.lower()


@dataclass(frozen=True)
class _Member:
    info: tarfile.TarInfo
    read: Callable[[int], bytes]


def _read_members(file: BinaryIO, max_read: int) -> Iterator[_Member]:
    start = file.read(len(_GZIP))
    file.seek(0)
    forward = _ForwardReader(gzip.GzipFile(fileobj=file) if start == _GZIP else file, max_read)
    with tarfile.open(fileobj=forward, mode="r:") as tar:  # type: ignore[call-overload]
        while (info := tar.next()) is not None:
            tar.members.clear()  # tarfile would keep all members in memory
            if info.isdir():
                continue
            if info.size > _MAX_MEMBER_BYTES:
                raise tarfile.ReadError(f"{info.name[:200]} declares {info.size:,} bytes")
            content = tar.extractfile(info) if info.isreg() and not info.issparse() else None
            yield _Member(info, content.read if content else lambda size: b"")
        if not forward.ended:  # tarfile treats any invalid header as the end
            raise tarfile.ReadError("no end-of-archive marker, or invalid data between members")


def _add(sample: TarSample, ending: str, member: _Member, is_wanted: Callable[[str], bool], max_bytes: int) -> None:
    if not member.info.isreg():
        sample.fault = f"{member.info.name[:200]} is a link or a device, not a file"
    elif not ending:
        sample.fault = f"{member.info.name[:200]} has no file name ending"
    elif ending in sample.endings:
        sample.fault = f"two members have the ending {ending}"
    elif is_wanted(ending):
        sample.members[ending] = member.read(max_bytes + 1)
    if len(sample.endings) < 100:
        sample.endings.append(ending)


class _ForwardReader:
    """File object for `tarfile` that limits the size of each read and never seeks back."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, max_read: int) -> None:
        self._file = file
        self._max_read = max_read
        self._position = 0
        self.ended = False  # whether the last block was an empty one, which ends a tar

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._max_read:
            raise tarfile.ReadError(f"a header declares {size:,} bytes")
        content = self._file.read(size)
        self._position += len(content)
        self.ended = content == bytes(_BLOCK)
        return content

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        if position < self._position:
            raise tarfile.ReadError("its headers overlap")
        while self._position < position:
            if not self.read(min(_SKIP_BYTES, self._max_read, position - self._position)):
                raise tarfile.ReadError("unexpected end of data")
