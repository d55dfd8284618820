"""Warn if a source loses many of its listings, in the terminal and as an asset check."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from rich.console import Console

from heddle.core.stage import METRICS_FILE, read_json
from heddle.sources.losses import LARGEST_SHARE, ListingCounts, find_losses

CATALOG = "catalog"
CHECK = dg.AssetCheckSpec(
    "listings_are_used",
    asset=CATALOG,
    description=f"Each source loses at most {LARGEST_SHARE:.0%} of its listings to quarantine and as duplicates.",
)


def print_losses(root: Path, console: Console) -> None:
    """Print a warning for each source that loses more than the largest share."""
    for loss in _losses(root):
        console.print(f"[bold yellow]Warning[/]  {loss}", highlight=False, soft_wrap=True)


def check_losses(root: Path) -> dg.AssetCheckResult:
    """Result of :data:`CHECK`, a warning only."""
    losses = list(_losses(root))
    return dg.AssetCheckResult(
        passed=not losses,
        check_name=CHECK.name,
        asset_key=CATALOG,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(losses) or "no source loses more",
    )


def _losses(root: Path) -> Iterator[str]:
    file = root / "data" / CATALOG / METRICS_FILE
    metrics = read_json(file) if file.is_file() else {}
    return find_losses({name: ListingCounts(**counts) for name, counts in metrics.get("sources", {}).items()})
