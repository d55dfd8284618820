"""Print how old the last crawl of each remote source is, because DVC cannot see that a site has changed."""

import time
from pathlib import Path

from rich.console import Console

from heddle.core.parameters.section import load
from heddle.sources.last_crawl import read_last_crawl
from heddle.sources.locations import is_remote
from heddle.sources.parameters import CatalogParameters

UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def print_crawl_ages(root: Path, console: Console) -> None:
    """Print one line for each source that sends requests to other hosts; nothing for local sources."""
    sources = load("catalog", CatalogParameters, root).sources
    for name in dict.fromkeys(source.name for source in sources if is_remote(source, root)):
        crawled = read_last_crawl(name, root)
        age = "no crawl from here yet" if crawled is None else f"crawled {format_age(time.time() - crawled)}"
        console.print(f"Source {name}: {age}; heddle ingest crawls it again", highlight=False, soft_wrap=True)


def format_age(seconds: float) -> str:
    """Return an age in its largest whole unit: `3 days ago`."""
    for unit, size in UNITS:
        count = int(seconds // size)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "less than a minute ago"
