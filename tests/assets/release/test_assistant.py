"""The released assistant: it loads with its base model, or names it."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from peft import PeftModel
from ruamel.yaml import YAML
from transformers import AutoModelForCausalLM, AutoTokenizer

from assets.release.card import figure
from assets.release.stage import release
from heddle.core.stage import read_json
from heddle.evaluation.metric_tree import leaves
from lightning_modules.assistant.assistant import Assistant
from lightning_modules.assistant.chat import Message
from lightning_modules.assistant.language_model import Language
from tests.support.small_language import NO_ASSISTANT
from tests.support.small_library import SECTIONS, change
from tests.support.small_project import contents, run, write_project

HUB = "meta-llama/Meta-Llama-3-8B-Instruct"
TOKENIZER = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
ADAPTER = {"adapter_config.json", "adapter_model.safetensors"}
RECORDS = {"README.md", "metrics.json", "lineage.json"}
ASKED = [Message(role="user", content="oak chair number 3")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("release") / "project")
    run(release, folder)
    return folder


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy whose models and parameters may be changed."""
    return Path(shutil.copytree(project, tmp_path / "project"))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def lines_of(card: str) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(card.split("---")[1])
    return content


def test_release_adapter_contains_its_trained_base(project: Path) -> None:
    folder = project / "data/release/assistant"
    assert names(folder) == TOKENIZER | ADAPTER | RECORDS
    assert names(folder / "base") == TOKENIZER | {"config.json", "generation_config.json", "model.safetensors"}
    assert read_json(folder / "adapter_config.json")["base_model_name_or_path"] == "base"
    lineage = read_json(folder / "lineage.json")
    assert lineage["base"] == "base"
    assert {"base/model.safetensors", "adapter_model.safetensors", "tokenizer.json"} <= set(lineage["files"])
    assert set(lineage["parameters"]) >= {"base_language", "assistant", "tokenizer", "seed"}


def test_released_assistant_answers_like_the_trained_one(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project / "data/release/assistant", tmp_path / "elsewhere"))
    with contextlib.chdir(project):
        trained = Assistant.from_pretrained(Path("data/assistant"), 1)
        base = Assistant.from_pretrained(Path("data/base_language"), 1)
    released = Assistant.from_pretrained(folder, 1, folder / "base")
    assert released.answer(ASKED, 12) == trained.answer(ASKED, 12) != base.answer(ASKED, 12)


def test_card_code_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = (project / "data/release/assistant/README.md").read_text()
    with contextlib.chdir(project):
        exec(card.split("```python")[1].split("```")[0], {})
    assert capsys.readouterr().out.strip()


def test_card_shows_metrics_data_and_task(project: Path) -> None:
    card = (project / "data/release/assistant/README.md").read_text()
    for metric in leaves(read_json(project / "data/assistant_evaluation/metrics.json")):
        assert f"| {metric.path} | {figure(metric.value)} |" in card
    assert "Measured on conversations of the test split" in card
    assert "with confidence 0.95." in card
    assert "| training conversations | 14 |" in card
    assert "| guides available as context | 2 |" in card
    assert f"| assistant.lora.rank | <code>{SECTIONS['assistant']['lora']['rank']}</code> |" in card
    front = lines_of(card)
    assert (front["library_name"], front["pipeline_tag"]) == ("peft", "text-generation")
    assert "base_model" not in front  # no hub knows it
    assert front["model-index"][0]["results"][0]["dataset"]["type"] == "conversations"


def test_release_names_a_hub_base_and_copies_nothing(copied: Path) -> None:
    change(copied, "base_language", scratch=None, pretrained=f"{HUB}@abc123")
    run(release, copied)
    folder = copied / "data/release/assistant"
    assert not (folder / "base").exists()
    config = read_json(folder / "adapter_config.json")
    assert (config["base_model_name_or_path"], config["revision"]) == (HUB, "abc123")
    assert read_json(folder / "lineage.json")["base"] == f"{HUB}@abc123"
    card = (folder / "README.md").read_text()
    assert f'from_pretrained("{HUB}", revision="abc123")' in card
    assert f"{HUB}\\@abc123 has its own licence" in card
    assert lines_of(card)["base_model"] == HUB
    compile(card.split("```python")[1].split("```")[0], "card", "exec")


def test_release_copies_a_local_base_without_its_path(copied: Path) -> None:
    mine = Path(shutil.copytree(copied / "data/base_language", copied.parent / "mine"))
    change(copied, "base_language", scratch=None, pretrained=str(mine))
    run(release, copied)
    folder = copied / "data/release/assistant"
    assert (folder / "base/model.safetensors").read_bytes() == (mine / "model.safetensors").read_bytes()
    assert str(mine) not in (folder / "adapter_config.json").read_text()


def test_release_merged_model_has_no_base(copied: Path) -> None:
    with contextlib.chdir(copied):
        base = AutoModelForCausalLM.from_pretrained("data/base_language")
        whole = PeftModel.from_pretrained(base, "data/assistant").merge_and_unload()
    for name in ADAPTER:
        (copied / "data/assistant" / name).unlink()
    Language(whole).save_pretrained(copied / "data/assistant")
    run(release, copied)
    folder = copied / "data/release/assistant"
    assert names(folder) == TOKENIZER | RECORDS | {"config.json", "generation_config.json", "model.safetensors"}
    assert not (folder / "base").exists()
    card = (folder / "README.md").read_text()
    assert lines_of(card)["library_name"] == "transformers"
    assert "peft" not in card.split("```python")[1].split("```")[0]
    AutoModelForCausalLM.from_pretrained(folder)
    AutoTokenizer.from_pretrained(folder)


def test_release_without_conversations_skips_the_assistant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = write_project(tmp_path / "project", bare=True)
    assert run(release, bare)["assistant"] == {"skipped": 1}
    assert not (bare / "data/release/assistant").exists()
    assert f"assistant is skipped: {NO_ASSISTANT}" in capsys.readouterr().out


def test_release_twice_gives_equal_bytes(project: Path) -> None:
    run(release, project, "release_again")
    again, first = (contents(project / "data" / name / "assistant") for name in ("release_again", "release"))
    assert again == first
    assert json.loads(first["adapter_config.json"])["peft_type"] == "LORA"
