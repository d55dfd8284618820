"""Warn when a source loses many listings, which usually means a wrong mapping or rows that repeat each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LARGEST_SHARE = 0.05
"""Share of a source's listings that may be quarantined or dropped as duplicates without a warning."""


@dataclass(frozen=True)
class ListingCounts:
    """What became of the listings of a source; ``fetched`` is the sum of the three."""

    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0

    @property
    def fetched(self) -> int:
        """All listings of the source."""
        return self.accepted + self.quarantined + self.duplicates


def find_losses(sources: Mapping[str, ListingCounts]) -> Iterator[str]:
    """Return one sentence for each source that loses more than the largest share.

    Args:
        sources: name of a source -> its counts.
    """
    for source, counts in sorted(sources.items()):
        lost = counts.fetched - counts.accepted
        if lost > LARGEST_SHARE * counts.fetched:
            yield (
                f"source {source}: {lost:,} of {counts.fetched:,} listings are not used: {counts.quarantined:,} "
                f"quarantined (heddle quarantine show), {counts.duplicates:,} duplicates "
                "(data/catalog/duplicates.parquet; catalog.duplicates in params.yaml)"
            )
