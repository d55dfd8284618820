"""The asset published_content: there only if it is configured, it fails with words that help and reports in a table."""

import dagster as dg
import pytest

from dagster_project.publish_content import Publication, publish, report
from heddle.core.parameters.section import ParameterError
from heddle.publishing.plan import Action, PlannedChange

SHOP = """
catalog:
  sources:
    - {name: shop, kind: wordpress, url: "http://127.0.0.1:9", contact: me@shop.test, username: me,
       application_password_env: SHOP_PASSWORD}
    - {name: open, kind: wordpress, url: "http://127.0.0.1:9", contact: me@shop.test}
"""


def _configure(toy, section: str) -> None:
    others = [
        line for line in (toy.root / "params.yaml").read_text().splitlines(True) if not line.startswith("catalog:")
    ]
    toy.write("params.yaml", "".join(others) + SHOP + f"published_content: {section}\n")


def _main(toy) -> set[str]:
    job = toy.definitions().resolve_job_def("main")
    return {key.to_user_string() for key in job.asset_layer.executable_asset_keys}


def test_it_is_in_the_main_job_only_where_it_is_configured(fresh):
    assert "published_content" not in _main(fresh)
    with pytest.raises(ParameterError, match=r"published_content: missing; add `published_content: {source: my_shop}`"):
        publish(fresh.root)
    _configure(fresh, "{source: shop}")
    assert "published_content" in _main(fresh)
    graph = fresh.definitions().resolve_asset_graph()
    assert graph.get(dg.AssetKey("published_content")).parent_keys == {dg.AssetKey("catalog")}


def test_it_fails_with_words_that_help_and_without_the_password(fresh, monkeypatch):
    _configure(fresh, "{source: shop}")
    monkeypatch.setenv("SHOP_PASSWORD", "sesame 51a9")
    failed = fresh.materialize("published_content")
    assert not failed.success
    assert "run `dvc repro validated` or `heddle run` first" in str(failed.all_events)
    assert "sesame" not in str(failed.all_events)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{source: shops}", "published_content.source: found 'shops', allowed: open, shop"),
        ("{source: open}", "open needs username and application_password_env"),
        ("{source: shop, status: publish}", "published_content.status"),
        ("{source: shop, posts: some}", "published_content.posts"),
        ("{source: shop, posts: []}", "published_content.posts"),
        ("{}", "published_content.source: missing"),
    ],
)
def test_mistakes_in_the_section_are_told_before_anything_runs(fresh, section, told):
    _configure(fresh, section)
    with pytest.raises(ParameterError) as error:
        fresh.definitions()
    assert told in str(error.value)


def test_the_report_counts_all_and_shows_no_markup_of_the_site_s():
    changes = (
        PlannedChange(
            "shop:1", Action.UPDATE, 7, {"title": ("a | b", "<script>x</script> *new*"), "tags": (["a"], [])}
        ),
        PlannedChange("shop:2", Action.SKIP, 8, reason="a person edited title"),
        PlannedChange("shop:3", Action.UNCHANGED, 9),
    )
    told = report(Publication(changes, applied=True))
    assert "0 create, 1 update, 1 unchanged, 1 skip, 0 error" in told
    rows = told.splitlines()[4:]
    assert [row.count("|") for row in rows] == [5, 5]
    assert "&lt;script&gt;" in rows[0]
    assert "tags: a → nothing" in rows[0]
    assert "a person edited title" in rows[1]


def test_the_report_has_no_control_character_of_the_site_s():
    attack = "\x1b[2J&#x1b;[2J\u202e"
    change = PlannedChange("shop:1", Action.UPDATE, 7, {"title": (attack, attack)}, reason=attack)
    told = report(Publication((change,), applied=True))
    assert told.count("\\u202e") + told.count("&#92;u202e") == 3
    assert not {"\x1b", "\u202e"} & set(told)
