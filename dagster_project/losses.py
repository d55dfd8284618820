"""Print a warning after a run whose catalogue uses much less than the sources contain."""

from pathlib import Path

from rich.console import Console

from assets.catalog.losses import LARGEST_SHARE
from heddle.core.stage import METRICS_FILE, read_json


def print_losses(root: Path, console: Console) -> None:
    """Print how many listings of the catalogue are not used, if they are more than the largest share."""
    file = root / "data/catalog" / METRICS_FILE
    metrics = read_json(file) if file.is_file() else {}
    fetched, accepted = (int(metrics.get(f"listings_{name}", 0)) for name in ("fetched", "accepted"))
    if fetched - accepted > LARGEST_SHARE * fetched:
        console.print(
            f"[bold yellow]Warning[/]  {fetched - accepted:,} of {fetched:,} listings are not used: "
            f"{metrics['listings_quarantined']:,} quarantined (heddle quarantine show), "
            f"{metrics['listings_duplicates']:,} with the image of another listing",
            highlight=False,
            soft_wrap=True,
        )
