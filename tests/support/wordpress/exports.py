"""Import the posts of a WordPress export through the REST API, with small generated images."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.wordpress.seed import term
from tests.support.wordpress.site import WORKERS, Site
from tests.support.wordpress_site import image

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
IMAGE = re.compile(r"https?://[^\s\"'<>\\)]+?\.(?:jpe?g|png|gif|webp)")
TERMS = {"category": "categories", "post_tag": "tags"}


def posts(export: Path) -> Iterator[dict[str, Any]]:
    """The export's posts in the form of the REST API, with terms by name."""
    for item in ElementTree.parse(export).iterfind(".//item"):
        if item.findtext("{*}post_type") == "post":
            terms: dict[str, list[str]] = {"categories": [], "tags": []}
            for each in item.iterfind("category"):
                if each.get("domain") in TERMS and each.text:
                    terms[TERMS[each.get("domain", "")]].append(each.text)
            yield terms | {
                "title": item.findtext("title") or "",
                "content": item.findtext(CONTENT) or "",
                "status": item.findtext("{*}status") or "publish",
                "password": item.findtext("{*}post_password") or "",
                "date_gmt": (item.findtext("{*}post_date_gmt") or "").replace(" ", "T"),
            }


def import_posts(site: Site, written: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Create the posts with their terms and images. Returns the site's answers."""
    with ThreadPoolExecutor(WORKERS) as threads:
        addresses = sorted({found for post in written for found in IMAGE.findall(post["content"])})
        ours = dict(zip(addresses, threads.map(lambda n: _upload(site, n), range(len(addresses))), strict=True))
        ids: dict[str, dict[str, int]] = {}
        for base in TERMS.values():
            names = sorted({name for post in written for name in post[base]}, key=str.casefold)
            ids[base] = dict(
                zip(names, threads.map(lambda name, base=base: term(site, base, name), names), strict=True)
            )
        prepared = [
            post
            | {"content": IMAGE.sub(lambda found: ours[found[0]], post["content"])}
            | {base: [ids[base][name] for name in post[base]] for base in ids}
            for post in written
        ]
        return list(threads.map(lambda post: site.api("POST", "posts", post), prepared))


def _upload(site: Site, number: int) -> str:
    made = site.api("POST", "media", image(1000 + number), filename=f"export-{number}.png")
    return str(made["source_url"])
