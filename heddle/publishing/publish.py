"""Bring a site's drafts to the content that is wanted: plan each, and, if it is really meant, write it."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from heddle.publishing.content import fields_of
from heddle.publishing.plan import Kind, Standing, Step, Wanted, hashes_of, same, step_of
from heddle.publishing.records import Post, marks
from heddle.publishing.site import Site, SiteError
from heddle.sources.written_back import LISTING_KEY

TEXTS, TAXONOMIES = ("title", "content", "excerpt"), ("categories", "tags")
OURS = {*TEXTS, *TAXONOMIES, "featured_media"}
PATIENCE = 3
"""After so many failures of the site in a row it is left in peace."""


class Publisher:
    """A site, looked through once; then any number of listings.

    Args:
        status: of new posts.

    Raises:
        SiteError: the site cannot be read.
    """

    def __init__(self, site: Site, status: str) -> None:
        self._site, self._status = site, status
        self._properties = site.properties()
        terms = {taxonomy: list(site.terms(taxonomy)) for taxonomy in TAXONOMIES if taxonomy in self._properties}
        self._names = {taxonomy: {term.id: term.name for term in known} for taxonomy, known in terms.items()}
        self._terms = {
            taxonomy: {_key(term.name): term for term in reversed(known)} for taxonomy, known in terms.items()
        }
        self._posts = {str(post.id): post for post in site.posts()}
        drafts = [post for post in self._posts.values() if post.meta.get(LISTING_KEY)]
        self._drafts = {str(post.meta[LISTING_KEY]): post for post in reversed(drafts)}

    def steps(self, contents: Iterable[tuple[str, Mapping[str, Any] | str]], *, really: bool) -> Iterator[Step]:
        """What is to be done for each listing; done, if ``really``.

        Raises:
            SiteError: the site failed several times in a row. What was written is whole; the same call goes on.
        """
        failures = 0
        for listing, content in contents:
            wanted = self._wanted(listing, content)
            if isinstance(wanted, Step):
                yield wanted
                continue
            step = step_of(wanted, self._standing(self._drafts.get(listing)))
            try:
                yield self._taken(step, wanted) if really and step.kind in (Kind.NEW, Kind.CHANGED) else step
                failures = 0
            except SiteError as error:
                failures += 1
                if failures == PATIENCE:
                    raise SiteError(f"{listing}: {error}. Stopped after {PATIENCE} failures in a row") from error
                yield replace(step, kind=Kind.REFUSED, why=str(error))

    def _wanted(self, listing: str, content: Mapping[str, Any] | str) -> Wanted | Step:
        """The content as this site can have it, or why it cannot."""
        if isinstance(content, str):
            return Step(listing, Kind.REFUSED, why=f"it has no content: {content}")
        post = self._posts.get(listing.partition(":")[2])
        if post is None:
            return Step(listing, Kind.REFUSED, why="the site has no post of that number, or shows it to nobody")
        fields = {name: value for name, value in fields_of(content).items() if name in self._properties}
        if not any(fields.get(name) for name in TEXTS):
            return Step(listing, Kind.REFUSED, why="it has neither title nor text")
        fields = {name: self._spelled(name, value) for name, value in fields.items()}
        remarks = []
        if "categories" in fields:  # they are the site's structure: none is made, and none is taken away
            known = [name for name in fields["categories"] if _key(name) in self._terms["categories"]]
            remarks = [f"no category {name}" for name in fields["categories"] if name not in known]
            fields["categories"] = known
            if not known:
                del fields["categories"]
        if "featured_media" in self._properties and post.featured_media:
            fields["featured_media"] = post.featured_media
        return Wanted(listing, fields, tuple(remarks))

    def _standing(self, post: Post | None) -> Standing | None:
        if post is None:
            return None
        here = [name for name in self._properties if name.startswith("meta.") or name in OURS]
        fields = {name: self._value(post, name) for name in here}
        written = str(post.meta.get("heddle_modified") or "never by us").replace(" ", "T")
        return Standing(post.id, post.status, fields, post.hashes, post.modified, written)

    def _value(self, post: Post, name: str) -> Any:
        if name in TAXONOMIES:
            return sorted(self._names[name].get(number, str(number)) for number in getattr(post, name))
        return post.featured_media if name == "featured_media" else post.text(name)

    def _taken(self, step: Step, wanted: Wanted) -> Step:
        """Take the step. A repetition finds what an attempt whose answer was lost has written."""
        taken = self._site.patiently(lambda: self._settle(wanted))
        return step if taken.kind is Kind.UNCHANGED else taken

    def _settle(self, wanted: Wanted) -> Step:
        """Look once more, as a person may have come in between, and write in one request."""
        for name in wanted.fields.get("tags", ()):
            self._number("tags", name)
        wanted = replace(wanted, fields={name: self._spelled(name, value) for name, value in wanted.fields.items()})
        step = step_of(wanted, self._standing(self._site.find(wanted.listing)))
        if step.kind not in (Kind.NEW, Kind.CHANGED):
            return step
        post = self._site.write(step.post, self._body(step, wanted))
        stored = self._standing(post)
        assert stored is not None
        if other := [name for name, value in wanted.fields.items() if not same(stored.fields.get(name), value)]:
            why = f"the site keeps {', '.join(other)} otherwise than sent: a plugin, or the account's rights"
            return replace(step, kind=Kind.REFUSED, post=post.id, why=why)
        return replace(step, post=post.id)

    def _body(self, step: Step, wanted: Wanted) -> dict[str, Any]:
        body: dict[str, Any] = {"status": self._status} if step.post is None else {}
        meta: dict[str, str] = marks(wanted.listing, hashes_of(wanted.fields))
        for name in wanted.fields if step.post is None else step.changes:
            value = wanted.fields[name]
            if name.startswith("meta."):
                meta[name.removeprefix("meta.")] = value
            else:
                body[name] = [self._number(name, term) for term in value] if name in TAXONOMIES else value
        return body | {"meta": meta}

    def _spelled(self, field: str, value: Any) -> Any:
        """Terms as the site spells them, where it knows them; another field's value as it is."""
        if field not in TAXONOMIES:
            return value
        known = {name: self._terms[field].get(_key(name)) for name in value}
        return sorted({term.name if term else name for name, term in known.items()})

    def _number(self, taxonomy: str, name: str) -> int:
        """Of a term; it is made where there is none."""
        key = _key(name)
        if key not in self._terms[taxonomy]:
            similar = [term for term in self._site.similar_terms(taxonomy, name) if _key(term.name) == key]
            term = similar[0] if similar else self._site.make_term(taxonomy, name)
            self._terms[taxonomy][key] = self._terms[taxonomy][_key(term.name)] = term
            self._names[taxonomy][term.id] = term.name
        return self._terms[taxonomy][key].id


def _key(name: str) -> str:
    """By what WordPress tells terms apart: neither case nor accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(each for each in plain if not unicodedata.combining(each)).split())
