"""Planning the drafts of a site: content that must not be published."""

from types import SimpleNamespace

from heddle.publishing.content import ListingContent
from heddle.publishing.plan import Action
from heddle.publishing.publish import Publisher


def test_skipped_content_is_never_written_and_has_its_reason() -> None:
    site = SimpleNamespace(properties=lambda: {"title"}, posts=lambda: [], terms=lambda taxonomy: [])
    listing = ListingContent("shop:1", {"title": "A chair"}, skipped="certainty 0.16 is below the bound")
    (change,) = Publisher(site, "draft").changes([listing], apply=True)  # type: ignore[arg-type]
    assert (change.listing, change.action, change.reason) == ("shop:1", Action.SKIP, listing.skipped)
