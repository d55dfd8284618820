"""Upload demo listings to a site through its REST API."""

import json
import urllib.error
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from demo_shop.shop import Listing, Shop
from demo_shop.wordpress import SHELVES
from tests.support.wordpress.site import WORKERS, Site


@dataclass(frozen=True)
class Seeded:
    """A listing and the site's answers.

    Attributes:
        post: the answer to the creation of the post.
        media: the answer to the upload of the image.
        categories: their names.
    """

    listing: Listing
    post: dict[str, Any]
    media: dict[str, Any]
    categories: tuple[str, ...]


def listings(count: int, first: int = 0) -> list[Listing]:
    """Listings of the demo shop without faults."""
    shop = Shop(seed=11, listings=2 * (count + first) + 60, guides=1)
    sound = [number for number in range(shop.size) if number not in shop.listing_faults]
    return [shop.listing(number) for number in sound[first : first + count]]


def seed(site: Site, wanted: Sequence[Listing]) -> list[Seeded]:
    """Upload images and create terms and posts, with ids in the order of ``wanted``."""
    with ThreadPoolExecutor(WORKERS) as threads:
        tags = sorted({tag for each in wanted for tag in each.words.tags})
        known = {
            (kind, name): id_
            for kind, names in (("categories", SHELVES), ("tags", tags))
            for name, id_ in zip(names, threads.map(lambda name, kind=kind: term(site, kind, name), names), strict=True)
        }
        media = list(threads.map(lambda each: upload(site, each), wanted))
        return list(threads.map(lambda each, its: _post(site, each, its, known), wanted, media))


def term(site: Site, kind: str, name: str) -> int:
    """The id of a category or tag, which is created if it does not exist."""
    try:
        return int(site.api("POST", kind, {"name": name})["id"])
    except urllib.error.HTTPError as refused:
        told = json.load(refused)
        if told["code"] != "term_exists":
            raise
        return int(told["data"]["term_id"])


def upload(site: Site, listing: Listing) -> dict[str, Any]:
    """Upload a listing's image with its alt text and caption."""
    words, image = listing.words, listing.image
    name = f"find-{listing.id}.{image.extension}"
    told = {"alt_text": words.alt_text, "caption": words.caption}
    return dict(site.api("POST", "media", image.content, filename=name, **told))


def _post(site: Site, listing: Listing, media: dict[str, Any], known: dict[tuple[str, str], int]) -> Seeded:
    words, facts = listing.words, listing.facts
    shelves = (SHELVES[facts.number % len(SHELVES)], SHELVES[facts.number * 7 % len(SHELVES)])
    body = {
        "title": words.title,
        "excerpt": words.description,
        "content": words.body,
        "status": "publish",
        "date_gmt": f"{facts.created:%Y-%m-%dT%H:%M:%S}",
        "featured_media": media["id"],
        "categories": sorted({known["categories", shelf] for shelf in shelves}),
        "tags": [known["tags", tag] for tag in words.tags],
        "meta": labels(listing) | {"seo_title": words.seo_title, "seo_description": words.seo_description},
    }
    return Seeded(listing, site.api("POST", "posts", body), media, tuple(sorted(set(shelves))))


def labels(listing: Listing) -> dict[str, Any]:
    """The custom fields of a listing."""
    facts, scene = listing.facts, listing.image.scene
    return {
        **{name: getattr(facts, name) for name in ("item", "material", "bin", "product_class", "price")},
        "objects": [
            {"label": each.label, "box": [round(edge, 5) for edge in each.box], "attributes": list(each.attributes)}
            for each in scene.objects
        ],
        "relations": [
            {"subject": each.subject, "predicate": each.predicate, "object": each.object} for each in scene.relations
        ],
        "locale": facts.locale,
        "preferences": list(facts.wishes),
        "licence": facts.licence,
    }
