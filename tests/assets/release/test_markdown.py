"""Values from outside are text in a rendered card, for each model: no HTML, no link, no other cells."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from assets.families import RELEASED
from assets.release.card import ASSETS, model_card
from assets.release.licences import hub_licence
from assets.release.markdown import escape
from assets.release.parameters import ReleaseParameters
from assets.release.stage import release
from heddle.core.stage import read_json
from heddle.core.terminal import visible
from heddle.evaluation.gates import Verdict
from tests.support.small_project import run, write_project

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "</td><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](http://x.test/a.png)",
    "a | b | c",
    "a\n\n# b\n\n| c |",
    "`a` ``b",
    "*a* _b_ __c__ ~~d~~",
    "# a",
    "1. a",
    "- a",
    "\\| \\",
    "&lt;b&gt; &amp;",
    "<!-- a",
    "\x1b[31m\u202eb",
    "<http://x.test>",
    "x\n---\nlicense: mit",
    "1",
    "=",
    "a: b # c",
    "no",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.text("`*_[]()|<>#~!\\&-=+. a1\n", min_size=1),
)
KEYS = ("language", "library_name", "pipeline_tag", "tags", "model-index")
OWN_DATA_TABLES = ("assistant", "reranker")
"""These cards show a value as gate and licence; the others also as source, licence of listings and label."""


def _kinds(markdown: str) -> list[str]:
    """The kinds of all tokens, without texts: an escaped character is a text, and texts join."""
    tokens = [inner for token in MARKDOWN.parse(markdown) for inner in (token, *(token.children or ()))]
    return [token.type for token in tokens if token.type != "text"]


def _text(markdown: str) -> str:
    """The visible text, with the code and without tags."""
    tokens = [inner for token in MARKDOWN.parse(markdown) for inner in token.children or (token,)]
    return "".join(token.content for token in tokens if token.type in ("text", "code_inline"))


def _words(text: str) -> str:
    return visible(" ".join(text.split()))


@given(TEXTS)
@settings(deadline=None)
def test_escaped_text_in_a_sentence_is_shown_literally(text: str) -> None:
    markdown = f"a {escape(text)}. b"
    assert _kinds(markdown) == _kinds("a x. b")
    assert _text(markdown) == f"a {_words(text)}. b"


@given(TEXTS)
@settings(deadline=None)
def test_escaped_text_stays_in_its_cell(text: str) -> None:
    table = "| a | b |\n|---|---|\n| {0} | <code>{0}</code> |\n"
    assert _kinds(table.format(escape(text))) == _kinds(table.format("x"))
    assert _text(table.format(escape(text))) == f"ab{2 * _words(text)}"


def test_template_begins_no_line_with_a_text() -> None:
    for template in ASSETS.glob("*/*card.md.j2"):
        for row in template.read_text().splitlines():
            assert not row.startswith("{{") or row.startswith("{{ front_matter }}") or "| figure }} " in row


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("cards") / "project")
    run(release, folder)
    return folder


def _card(project: Path, name: str, value: str) -> str:
    """The card with the same value in all places that come from outside."""
    family = next(family for family in RELEASED if family.name == name)
    folder = project / "data/release" / name
    lineage: dict[str, Any] = copy.deepcopy(read_json(folder / "lineage.json"))
    lineage["data"] |= {"licences": {value: 24}, "sources": {value: 24}, "labels": {value: ["oak"]}}
    lineage["parameters"]["scale"] = value
    if name == "reranker":
        lineage["parameters"]["reranker"]["pretrained"] = value
    if name == "assistant":
        lineage["base"] = value
    parameters = ReleaseParameters(licence=value, languages=(value,))
    verdict = Verdict(name, value, 0.4, "at least", 0.5, passed=False, description=value)
    return model_card(family, parameters, read_json(folder / "metrics.json"), lineage, [verdict])


@pytest.mark.parametrize("name", [family.name for family in RELEASED])
@settings(max_examples=8, deadline=None)
@example(value=HOSTILE[0])
@example(value=HOSTILE[1])
@example(value=HOSTILE[3])
@example(value=HOSTILE[4])
@example(value=HOSTILE[-5])
@example(value="1")
@given(value=TEXTS)
def test_card_with_hostile_values_has_the_tokens_of_a_harmless_card(project: Path, name: str, value: str) -> None:
    front_matter, body = _parts(_card(project, name, value))
    assert _kinds(body) == _kinds(_parts(_card(project, name, "x"))[1])
    assert _text(body).count(_words(value)) >= (2 if name in OWN_DATA_TABLES else 5)
    assert _words(json.dumps(value, ensure_ascii=False)) in _text(body)
    content = YAML(typ="safe").load(front_matter)
    assert content.keys() == {*KEYS, *(["base_model"] if name == "assistant" else []), *hub_licence(value)}
    assert content["language"] == [value]
    assert hub_licence(value).items() <= content.items()
    if name == "assistant":
        assert content["base_model"] == value.partition("@")[0]


def _parts(card: str) -> tuple[str, str]:
    """Front matter and body, split at the first line that ends the front matter."""
    head, front_matter, body = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)
    assert head == ""
    return front_matter, body
