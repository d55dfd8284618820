"""Samples out of a tar in WebDataset's layout, whatever the tar: nothing is unpacked, and memory holds one sample.

A sample is the members that follow each other and share a key, the name up to the first dot of its last part; what
comes after that dot tells them apart. Source: https://github.com/webdataset/webdataset. The library itself reads
members of any size and ends silently where a tar is damaged, so Python's `tarfile` is used, through a file that
neither reads much at once nor goes back.
"""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

LARGEST_HEADER = 1_000_000  # bytes; a name or extended header that claims more is damage
_BLOCK = 512
_SKIPPED = 65_536  # bytes that are read at a time to get past a member
_LARGEST_MEMBER = 1_000_000_000  # bytes; no tar is read past a member that claims more
_GZIP = b"\x1f\x8b"


@dataclass
class Sample:
    """Members of one key.

    Attributes:
        members: ending -> content, of those that were wanted.
        endings: all that are there, the first hundred.
        fault: why the sample cannot be taken as it is, if so.
    """

    key: str
    members: dict[str, bytes] = field(default_factory=dict)
    endings: list[str] = field(default_factory=list)
    fault: str | None = None


@dataclass(frozen=True)
class Damage:
    """The tar cannot be read to its end."""

    detail: str


def read_samples(file: BinaryIO, wanted: Callable[[str], bool], size: int) -> Iterator[Sample | Damage]:
    """The samples of a tar, plain or gzipped, and last what is damaged, if anything is.

    Args:
        wanted: whether a member of this ending is to be read.
        size: bytes at most of one member; of a larger one comes one byte more than these.
    """
    sample: Sample | None = None
    try:
        for member in _members(file, max(size + 1, LARGEST_HEADER)):
            key, ending = split_name(member.info.name)
            if sample is not None and key != sample.key:
                yield sample
                sample = None
            sample = sample or Sample(key)
            _add(sample, ending, member, wanted, size)
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        detail = f"damaged: {str(error) or type(error).__name__}"
        if sample is not None:
            sample.fault = f"the tar is {detail}, so this sample may not be whole"
            yield sample
        yield Damage(detail)
        return
    if sample is not None:
        yield sample


def split_name(name: str) -> tuple[str, str]:
    """Key and ending of a member: `a/b.seg.png` is `seg.png` of `a/b`."""
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return f"{folder}{slash}{stem}", ending.lower()


@dataclass(frozen=True)
class _Member:
    info: tarfile.TarInfo
    read: Callable[[int], bytes]


def _members(file: BinaryIO, largest: int) -> Iterator[_Member]:
    start = file.read(len(_GZIP))
    file.seek(0)
    forward = _Forward(gzip.GzipFile(fileobj=file) if start == _GZIP else file, largest)
    with tarfile.open(fileobj=forward, mode="r:") as tar:  # type: ignore[call-overload]
        while (info := tar.next()) is not None:
            tar.members.clear()  # tarfile keeps them all
            if info.isdir():
                continue
            if info.size > _LARGEST_MEMBER:
                raise tarfile.ReadError(f"{info.name[:200]} claims {info.size:,} bytes")
            content = tar.extractfile(info) if info.isreg() and not info.issparse() else None
            yield _Member(info, content.read if content else lambda size: b"")
        if not forward.ended:  # tarfile takes any block that is no header for the end
            raise tarfile.ReadError("it ends without the mark of an end, or has something else between its members")


def _add(sample: Sample, ending: str, member: _Member, wanted: Callable[[str], bool], size: int) -> None:
    if not member.info.isreg():
        sample.fault = f"{member.info.name[:200]} is no file but a link or a device"
    elif not ending:
        sample.fault = f"{member.info.name[:200]} has no ending that would tell what it is"
    elif ending in sample.endings:
        sample.fault = f"two members end in {ending}"
    elif wanted(ending):
        sample.members[ending] = member.read(size + 1)
    if len(sample.endings) < 100:
        sample.endings.append(ending)


class _Forward:
    """What `tarfile` needs of a file, over one that is only read onwards, and never much at once."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, largest: int) -> None:
        self._file = file
        self._largest = largest
        self._place = 0
        self.ended = False  # whether the last block was the empty one that ends a tar

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._largest:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        content = self._file.read(size)
        self._place += len(content)
        self.ended = content == bytes(_BLOCK)
        return content

    def tell(self) -> int:
        return self._place

    def seek(self, place: int) -> None:
        if place < self._place:
            raise tarfile.ReadError("its headers overlap")
        while self._place < place:
            if not self.read(min(_SKIPPED, self._largest, place - self._place)):
                raise tarfile.ReadError("unexpected end of data")
