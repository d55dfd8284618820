"""Plan and apply the changes that bring a site's drafts to the desired content."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from heddle.publishing.content import ListingContent, post_fields
from heddle.publishing.plan import Action, DesiredState, PlannedChange, RemoteState, field_hashes, is_same, plan_change
from heddle.publishing.records import Post, ownership_meta
from heddle.publishing.site import SiteError, WordPressClient
from heddle.sources.written_back import LISTING_KEY

TEXTS, TAXONOMIES = ("title", "content", "excerpt"), ("categories", "tags")
MANAGED_FIELDS = {*TEXTS, *TAXONOMIES, "featured_media"}
MAX_FAILURES = 3
"""Failures of the site in a row after which the publication stops."""


class Publisher:
    """Compares listings with the drafts of one site, whose posts and terms are read once.

    Args:
        site: the site.
        status: status of new posts.

    Raises:
        SiteError: the site cannot be read.
    """

    def __init__(self, site: WordPressClient, status: str) -> None:
        self._site, self._status = site, status
        self._properties = site.properties()
        terms = {taxonomy: list(site.terms(taxonomy)) for taxonomy in TAXONOMIES if taxonomy in self._properties}
        self._names = {taxonomy: {term.id: term.name for term in known} for taxonomy, known in terms.items()}
        self._terms = {
            taxonomy: {_term_key(term.name): term for term in reversed(known)} for taxonomy, known in terms.items()
        }
        self._posts = {str(post.id): post for post in site.posts()}
        drafts = [post for post in self._posts.values() if post.meta.get(LISTING_KEY)]
        self._drafts = {str(post.meta[LISTING_KEY]): post for post in reversed(drafts)}

    def changes(self, contents: Iterable[ListingContent], *, apply: bool) -> Iterator[PlannedChange]:
        """Plan the change of each listing's draft and, with ``apply``, write it.

        Args:
            contents: the listings, each with its content or the reason why it has none.
            apply: whether the changes are written.

        Raises:
            SiteError: the site failed several times in a row. Drafts written so far are complete; a second call
                continues.
        """
        failures = 0
        for listing in contents:
            desired = self._desired_state(listing)
            if isinstance(desired, PlannedChange):
                yield desired
                continue
            planned = plan_change(desired, self._remote_state(self._drafts.get(listing.id)))
            try:
                if apply and planned.writes:
                    yield self._apply(planned, desired)
                else:
                    yield planned
                failures = 0
            except SiteError as error:
                failures += 1
                if failures == MAX_FAILURES:
                    raise SiteError(f"{listing.id}: {error}. Stopped after {MAX_FAILURES} failures in a row") from error
                yield replace(planned, action=Action.ERROR, reason=str(error))

    def _desired_state(self, listing: ListingContent) -> DesiredState | PlannedChange:
        """The content as this site can store it, or why it is not written."""
        if listing.skipped:
            return PlannedChange(listing.id, Action.SKIP, reason=listing.skipped)
        if listing.content is None:
            return PlannedChange(listing.id, Action.ERROR, reason=f"no content: {listing.error}")
        post = self._posts.get(listing.id.partition(":")[2])
        if post is None:
            return PlannedChange(listing.id, Action.ERROR, reason="the site has no visible post with this number")
        fields = {name: value for name, value in post_fields(listing.content).items() if name in self._properties}
        if not any(fields.get(name) for name in TEXTS):
            return PlannedChange(listing.id, Action.ERROR, reason="no title and no text")
        fields = {name: self._site_spelling(name, value) for name, value in fields.items()}
        remarks = []
        if "categories" in fields:  # categories are the site's structure: none is created, and none is removed
            known = [name for name in fields["categories"] if _term_key(name) in self._terms["categories"]]
            remarks = [f"no category {name}" for name in fields["categories"] if name not in known]
            fields["categories"] = known
            if not known:
                del fields["categories"]
        if "featured_media" in self._properties and post.featured_media:
            fields["featured_media"] = post.featured_media
        return DesiredState(listing.id, fields, tuple(remarks))

    def _remote_state(self, post: Post | None) -> RemoteState | None:
        if post is None:
            return None
        names = [name for name in self._properties if name.startswith("meta.") or name in MANAGED_FIELDS]
        fields = {name: self._stored_value(post, name) for name in names}
        written = str(post.meta.get("heddle_modified") or "never by us").replace(" ", "T")
        return RemoteState(post.id, post.status, fields, post.hashes, post.modified, written)

    def _stored_value(self, post: Post, name: str) -> Any:
        if name in TAXONOMIES:
            return sorted(self._names[name].get(number, str(number)) for number in getattr(post, name))
        return post.featured_media if name == "featured_media" else post.text(name)

    def _apply(self, planned: PlannedChange, desired: DesiredState) -> PlannedChange:
        """Write the change. If the answer to a write was lost, the retry finds the draft already up to date."""
        applied = self._site.retry(lambda: self._write(desired))
        return planned if applied.action is Action.UNCHANGED else applied

    def _write(self, desired: DesiredState) -> PlannedChange:
        """Plan again, since a person may have edited the draft meanwhile, and write in one request."""
        for name in desired.fields.get("tags", ()):
            self._term_id("tags", name)
        fields = {name: self._site_spelling(name, value) for name, value in desired.fields.items()}
        desired = replace(desired, fields=fields)
        planned = plan_change(desired, self._remote_state(self._site.find(desired.listing)))
        if not planned.writes:
            return planned
        post = self._site.write(planned.post, self._request_body(planned, desired))
        stored = self._remote_state(post)
        assert stored is not None
        differing = [name for name, value in desired.fields.items() if not is_same(stored.fields.get(name), value)]
        if differing:
            reason = f"the site changed {', '.join(differing)} on save; check its plugins and the account's rights"
            return replace(planned, action=Action.ERROR, post=post.id, reason=reason)
        return replace(planned, post=post.id)

    def _request_body(self, planned: PlannedChange, desired: DesiredState) -> dict[str, Any]:
        body: dict[str, Any] = {"status": self._status} if planned.post is None else {}
        meta: dict[str, str] = ownership_meta(desired.listing, field_hashes(desired.fields))
        for name in desired.fields if planned.post is None else planned.changes:
            value = desired.fields[name]
            if name.startswith("meta."):
                meta[name.removeprefix("meta.")] = value
            elif name in TAXONOMIES:
                body[name] = [self._term_id(name, term) for term in value]
            else:
                body[name] = value
        return body | {"meta": meta}

    def _site_spelling(self, field: str, value: Any) -> Any:
        """Names of terms as the site spells them, if it has them; the values of other fields as they are."""
        if field not in TAXONOMIES:
            return value
        known = {name: self._terms[field].get(_term_key(name)) for name in value}
        return sorted({term.name if term else name for name, term in known.items()})

    def _term_id(self, taxonomy: str, name: str) -> int:
        """Number of a term, which is created if the site has none of this name."""
        key = _term_key(name)
        if key not in self._terms[taxonomy]:
            similar = [term for term in self._site.similar_terms(taxonomy, name) if _term_key(term.name) == key]
            term = similar[0] if similar else self._site.create_term(taxonomy, name)
            self._terms[taxonomy][key] = self._terms[taxonomy][_term_key(term.name)] = term
            self._names[taxonomy][term.id] = term.name
        return self._terms[taxonomy][key].id


def _term_key(name: str) -> str:
    """The form by which WordPress compares names of terms: without case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(each for each in plain if not unicodedata.combining(each)).split())
