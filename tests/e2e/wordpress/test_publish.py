"""Content goes back to a real WordPress as drafts: once, over nobody's edits, whatever interrupts it."""

import contextlib
import io
import logging
import os
import shutil
import subprocess
import sys
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import httpx
import pyarrow.parquet as pq
import pytest
from PIL import Image

from dagster_project.publish_content import Publication, publish, published_content_asset, report
from heddle.core.html_text import plain_text
from heddle.core.schemas import LISTINGS, write_table
from heddle.evaluation.gates import Verdict
from heddle.publishing.plan import Action
from heddle.publishing.site import SiteError
from tests.support.wordpress import Site, wordpress_site

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "docs" / "wordpress" / "heddle.php"
LISTED = 3
ALL = "publish,draft,pending,private,future,trash"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with wordpress_site() as running:
        shutil.copy(PLUGIN, running.folder / "www/wp-content/mu-plugins")
        shelf = running.api("POST", "categories", {"name": "Chairs & co"})["id"]
        for number in range(LISTED):
            image = io.BytesIO()
            Image.new("RGB", (64, 48), ("peru", "navy", "teal")[number]).save(image, "PNG")
            media = running.api("POST", "media", image.getvalue(), filename=f"{number}.png", alt_text="A <b> chair")
            running.api(
                "POST",
                "posts",
                {
                    "title": f"Chair {number} & “table” &lt;b&gt;",
                    "content": f"<p>Oak &amp; ash, {number}.</p>\n<ul><li>One</li></ul>",
                    "excerpt": "Oak & more",
                    "status": "publish",
                    "featured_media": media["id"],
                    "categories": [shelf],
                    "tags": [running.api("POST", "tags", {"name": f"Café {number}"})["id"]],
                },
            )
        yield running


@pytest.fixture(scope="module")
def crawled(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has crawled the site."""
    root = tmp_path_factory.mktemp("crawled")
    account = f"username: {site.user}, application_password_env: SHOP_PASSWORD"
    manners = "contact: me@shop.test, delay: 0, back_off: 0, retries: 2, private_addresses: true"
    (root / "scales").mkdir()
    (root / "scales/smoke.yaml").write_text("{}\n")
    (root / "dvc.yaml").write_text("stages: {catalog: {params: [{params.yaml: [catalog, demo_shop]}]}}\n")
    (root / "params.yaml").write_text(
        f"scale: smoke\nseed: 1\ncatalog: {{sources: [{{name: shop, kind: wordpress, url: '{site.url}', {account}, "
        f"{manners}}}]}}\npublished_content: {{source: shop}}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_PASSWORD", site.password)
        crawl(root)
    shutil.copytree(root / "data/catalog", root / "data/validated")
    return root


@pytest.fixture
def project(site: Site, crawled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it; ends with the site as it was."""
    monkeypatch.setenv("SHOP_PASSWORD", site.password)
    yield shutil.copytree(crawled, tmp_path / "project")
    clean(site)


def clean(site: Site) -> None:
    ids = [post["id"] for post in drafts(site)]
    site.php("".join(f"wp_delete_post({number}, true);" for number in ids))


def crawl(root: Path) -> dict[str, bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "assets.catalog"], cwd=root, env=environment, check=True, timeout=600)
    return {file.name: file.read_bytes() for file in (root / "data/catalog").iterdir()}


def posts(site: Site, **query: object) -> list[dict[str, Any]]:
    return site.api("GET", "posts", status=ALL, context="edit", per_page=100, orderby="id", order="asc", **query)


def drafts(site: Site) -> list[dict[str, Any]]:
    return [post for post in posts(site) if post["meta"]["heddle_listing"]]


def content_of(site: Site) -> list[tuple[Any, ...]]:
    """What all drafts say, without numbers and times that the site gave."""
    tags = {tag["id"]: tag["name"] for tag in site.api("GET", "tags", per_page=100)}
    return [
        (
            *(post[name]["raw"] for name in ("title", "content", "excerpt")),
            *(post[name] for name in ("status", "categories", "featured_media")),
            [tags[number] for number in post["tags"]],
            *(post["meta"][name] for name in ("heddle_listing", "heddle_hashes", "seo_title", "heddle_alt_text")),
        )
        for post in sorted(drafts(site), key=lambda post: post["meta"]["heddle_listing"])
    ]


def actions(publication: Publication) -> list[Action]:
    return [change.action for change in publication.changes]


def edit_listing(root: Path, listing: str, **fields: object) -> None:
    """The content of a listing changes."""
    file = root / "data/validated/listings.parquet"
    rows = pq.read_table(file).to_pylist()
    file.unlink()
    write_table(file, [row | (fields if row["id"] == listing else {}) for row in rows], LISTINGS)


def listing_ids(root: Path) -> list[str]:
    return pq.read_table(root / "data/validated/listings.parquet")["id"].to_pylist()


def configure(root: Path, settings: str) -> None:
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(params.replace("{source: shop}", f"{{source: shop, {settings}}}"))


@contextlib.contextmanager
def wire(after: Callable[[int, httpx.Request], None] = lambda number, request: None) -> Iterator[Counter[str]]:
    """Counts requests by their methods; ``after`` is called when the site has done what was asked."""
    counted: Counter[str] = Counter()
    send = httpx.HTTPTransport.handle_request

    def handle(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = send(self, request)
        response.read()
        counted[request.method] += 1
        after(counted.total(), request)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.HTTPTransport, "handle_request", handle)
        yield counted


def test_a_dry_run_writes_nothing_and_says_what_it_would(site: Site, project: Path) -> None:
    before = posts(site)
    with wire() as counted:
        plan = publish(project)
    assert (actions(plan), plan.applied, set(counted)) == ([Action.CREATE] * LISTED, False, {"OPTIONS", "GET"})
    assert posts(site) == before
    assert "Plan: nothing was written" in report(plan)


def test_drafts_carry_the_content_and_a_second_publication_writes_nothing(site: Site, project: Path) -> None:
    before, listings = posts(site), pq.read_table(project / "data/validated/listings.parquet").to_pylist()
    with wire() as counted:
        publication = publish(project, apply=True)
    assert (actions(publication), counted["POST"]) == ([Action.CREATE] * LISTED, LISTED)
    for listing, draft, original in zip(listings, drafts(site), before, strict=True):
        assert draft["status"] == "draft"
        assert plain_text(draft["title"]["rendered"]) == plain_text(original["title"]["rendered"]) == listing["title"]
        assert draft["content"]["raw"] == original["content"]["raw"]
        assert [draft[name] for name in ("featured_media", "tags", "categories")] == [
            original[name] for name in ("featured_media", "tags", "categories")
        ]
        assert draft["meta"]["heddle_listing"] == listing["id"]
        assert draft["meta"]["heddle_alt_text"] == listing["alt_text"]
    with wire() as counted:
        publication = publish(project, apply=True)
    assert (actions(publication), set(counted)) == ([Action.UNCHANGED] * LISTED, {"OPTIONS", "GET"})
    assert [post for post in posts(site) if not post["meta"]["heddle_listing"]] == before


def test_back_and_forth_gives_the_same_listings_even_when_a_person_publishes_a_draft(site: Site, project: Path) -> None:
    first = {file.name: file.read_bytes() for file in (project / "data/catalog").iterdir()}
    publish(project, apply=True)
    assert crawl(project) == first
    site.api("POST", f"posts/{drafts(site)[0]['id']}", {"status": "publish"})
    assert crawl(project) == first


@pytest.mark.parametrize(
    "edit",
    [{"title": "Mine"}, {"tags": []}, {"meta": {"seo_title": "Mine"}}, {"slug": "mine"}, {"status": "publish"}],
    ids=lambda edit: next(iter(edit)),
)
def test_a_persons_edit_survives_and_others_content_is_updated_once(
    site: Site, project: Path, edit: dict[str, Any]
) -> None:
    publish(project, apply=True)
    mine, other, _ = drafts(site)
    time.sleep(1.1)  # WordPress's clock tells seconds
    site.api("POST", f"posts/{mine['id']}", edit)
    edited = drafts(site)[0]
    for draft in (mine, other):
        edit_listing(project, draft["meta"]["heddle_listing"], title="A new title", tags=["new", "Cafe 1"])
    with wire() as counted:
        publication = publish(project, apply=True)
    assert actions(publication) == [Action.SKIP, Action.UPDATE, Action.UNCHANGED]
    assert set(publication.changes[1].changes) == {"title", "tags"}
    tag = site.api("GET", "tags", search="new")[0]["id"]
    assert counted["POST"] <= 2, "one draft, and the tag where it is new"
    assert drafts(site)[0] == edited
    assert drafts(site)[1]["title"]["raw"] == "A new title"
    assert tag in drafts(site)[1]["tags"]
    with wire() as counted:
        assert actions(publish(project, apply=True)) == [Action.SKIP, Action.UNCHANGED, Action.UNCHANGED]
    assert counted["POST"] == 0


def test_a_trashed_draft_stays_in_the_trash(site: Site, project: Path) -> None:
    publish(project, apply=True)
    site.api("DELETE", f"posts/{drafts(site)[0]['id']}")
    publication = publish(project, apply=True)
    assert actions(publication) == [Action.SKIP, Action.UNCHANGED, Action.UNCHANGED]
    assert [post["status"] for post in drafts(site)] == ["trash", "draft", "draft"]


def test_killed_after_any_request_and_resumed_is_as_undisturbed(site: Site, project: Path) -> None:
    first, second = listing_ids(project)[:2]
    edit_listing(project, first, tags=["A tag of its own"])
    configure(project, f"posts: [{first.partition(':')[2]}, {second.partition(':')[2]}]")
    with wire() as counted:
        publish(project, apply=True)
    undisturbed, requests = content_of(site), counted.total()
    assert len(undisturbed) == 2
    for last in range(1, requests + 1):
        clean(site)
        site.api("DELETE", f"tags/{site.api('GET', 'tags', search='A tag of its own')[0]['id']}", force=True)

        def die(number: int, request: httpx.Request, last: int = last) -> None:
            if number == last:
                raise KeyboardInterrupt

        with wire(die), pytest.raises(KeyboardInterrupt):
            publish(project, apply=True)
        publish(project, apply=True)
        assert content_of(site) == undisturbed, f"killed after request {last}"


def test_a_lost_answer_makes_no_second_draft(site: Site, project: Path) -> None:
    edit_listing(project, listing_ids(project)[0], tags=["Lost & found"])
    lost = set()

    def lose(number: int, request: httpx.Request) -> None:
        if request.method == "POST" and request.content not in lost:  # the tag's too
            lost.add(request.content)
            raise httpx.ReadTimeout("timed out")

    with wire(lose) as counted:
        publication = publish(project, apply=True)
    assert (actions(publication), counted["POST"], len(drafts(site))) == ([Action.CREATE] * LISTED, LISTED + 1, LISTED)


def test_a_site_that_keeps_failing_is_left_in_peace(site: Site, project: Path) -> None:
    def fail(number: int, request: httpx.Request) -> None:
        if "heddle_listing" in request.url.params:
            raise httpx.ConnectError("refused")

    with wire(fail), pytest.raises(SiteError, match=r"^shop:\d+: .* cannot be reached .* Stopped after 3 failures"):
        publish(project, apply=True)
    assert not drafts(site)


def test_what_the_site_has_no_place_for_is_told(site: Site, project: Path) -> None:
    ids = listing_ids(project)
    edit_listing(project, ids[0], categories=["Lamps", "chairs & CO"])
    edit_listing(project, ids[1], id="shop:99999")
    edit_listing(project, ids[2], categories=["Lamps"])
    changes = {change.listing: change for change in publish(project, apply=True).changes}
    assert (changes[ids[0]].action, changes[ids[0]].reason) == (Action.CREATE, "no category Lamps")
    assert (changes["shop:99999"].action, changes["shop:99999"].post) == (Action.ERROR, None)
    again = sorted(publish(project, apply=True).changes, key=lambda change: change.listing)
    assert [change.action for change in again] == [
        Action.UNCHANGED,
        Action.UNCHANGED,
        Action.ERROR,
    ]
    assert len(site.api("GET", "categories")) == 2, "Uncategorized and the shop's own"


def test_only_the_posts_that_are_named_are_written(site: Site, project: Path) -> None:
    one = listing_ids(project)[1].partition(":")[2]
    configure(project, f"posts: [{one}], status: pending, dry_run: false")
    publication = publish(project)
    assert ([change.listing for change in publication.changes], publication.applied) == ([f"shop:{one}"], True)
    assert [(post["meta"]["heddle_listing"], post["status"]) for post in drafts(site)] == [(f"shop:{one}", "pending")]


def test_the_password_reaches_no_log_report_or_file(
    site: Site, project: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    said = report(publish(project, apply=True))
    monkeypatch.setenv("SHOP_PASSWORD", "sesame 51a9")
    with pytest.raises(SiteError, match=r"/posts: the account may not write. Check username and the appl") as refused:
        publish(project)
    kept = b"".join(file.read_bytes() for file in (project / "data/published_content").rglob("*") if file.is_file())
    for secret in (site.password, "sesame 51a9"):
        assert secret not in f"{said} {refused.value} {caplog.text} {kept!r}"


def test_a_site_without_the_plugin_is_not_written_to(site: Site, project: Path) -> None:
    installed = site.folder / "www/wp-content/mu-plugins" / PLUGIN.name
    installed.rename(installed.with_suffix(".off"))
    try:
        with (
            wire() as counted,
            pytest.raises(SiteError, match=r"lacks Heddle's plugin: copy docs/wordpress/heddle.ph"),
        ):
            publish(project, apply=True)
    finally:
        installed.with_suffix(".off").rename(installed)
    assert counted["POST"] == 0


def test_the_asset_tells_in_a_table_what_would_change_and_writes_what_its_config_asks(
    site: Site, project: Path
) -> None:
    asset = published_content_asset(SimpleNamespace(root=project, graph={"validated": None}))  # type: ignore[arg-type]
    for apply, writes in ((False, 0), (True, LISTED)):
        config = {"ops": {"published_content": {"config": {"apply": apply}}}}
        result = dg.materialize([asset], run_config=config)
        (event,) = result.get_asset_materialization_events()
        told = {name: each.value for name, each in event.materialization.metadata.items() if "/" not in name}
        assert (told["create"], told["dry_run"], len(drafts(site))) == (LISTED, not apply, writes)
        assert told["report"].count("| create |") == LISTED
        assert site.password not in str(result.all_events)


def test_a_writer_that_missed_a_gate_is_shown_and_not_published(
    site: Site, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data/writer").mkdir()
    missed = Verdict("writer", "writer_evaluation.full.item_recall", 0.2, "at least", 0.85, False, "item_recall is 0.2")
    monkeypatch.setattr("dagster_project.publish_content.verdicts", lambda root: [missed])
    with (
        wire() as counted,
        pytest.raises(SiteError, match=r"nothing was written: the writer missed a gate, item_recall"),
    ):
        publish(project, apply=True)
    assert not counted


def test_the_plugin_s_marks_are_the_accounts_to_write(site: Site) -> None:
    stranger = Site(site.url, site.user, "wrong", site.folder)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        stranger.api("POST", "posts", {"title": "x", "meta": {"heddle_listing": "shop:1"}})
