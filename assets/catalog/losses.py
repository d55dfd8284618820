"""Warn when a source loses many listings, which usually means a wrong mapping or one image for many listings."""

from collections import Counter
from collections.abc import Iterable, Iterator

LARGEST_SHARE = 0.05
"""Share of a source's listings that may be quarantined or dropped as duplicates without a warning."""


def find_losses(accepted: Iterable[str], quarantined: Iterable[str], duplicates: Iterable[str]) -> Iterator[str]:
    """Return one warning for each source that loses more than the largest share.

    Args:
        accepted: ids of listings, with the source's name as prefix; likewise the others.
    """
    kept, refused, dropped = (Counter(map(_source, ids)) for ids in (accepted, quarantined, duplicates))
    for source in sorted({*refused, *dropped}):
        lost = refused[source] + dropped[source]
        total = lost + kept[source]
        if lost > LARGEST_SHARE * total:
            yield (
                f"WARNING: source {source}: {lost:,} of {total:,} listings are not used: {refused[source]:,} "
                f"quarantined (heddle quarantine show), {dropped[source]:,} with the image of another listing "
                "(data/catalog/duplicates.parquet)"
            )


def _source(listing_id: str) -> str:
    return listing_id.partition(":")[0]
