import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from assets.assistant.base.parameters import BaseLanguageParameters
from assets.assistant.base.stage import base_language
from heddle.core.parameters.shared import Split
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of
from heddle.core.stage import StageError
from lightning_modules.tokenization.saved import save_tokenizer
from tests.support.small_library import NETWORK, SCRATCH, change, rewrite, write_small_library, write_yaml
from tests.support.small_project import contents, run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_small_library(tmp_path_factory.mktemp("language") / "project")
    run(base_language, folder)
    return folder


def test_two_runs_give_the_same_bytes(project: Path) -> None:
    run(base_language, project, "again")
    first, second = contents(project / "data/base_language"), contents(project / "data/again")
    assert {"config.json", "model.safetensors", "generation_config.json", "tokenizer.json", "history.csv"} <= set(first)
    assert first == second
    assert not any(str(project).encode() in content for content in first.values())


def test_transformers_alone_loads_the_folder_and_generates(project: Path) -> None:
    folder = project / "data/base_language"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == model.config.vocab_size
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "chair"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    generated = model.generate(**prompt, max_new_tokens=4, do_sample=False)
    assert generated.shape[1] <= prompt["input_ids"].shape[1] + 4
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.decode(tokenizer.encode("Жил-был 小さな 🪑")) == "Жил-был 小さな 🪑"


def test_conversations_and_held_out_listings_change_nothing(project: Path, tmp_path: Path) -> None:
    """Neither conversations nor the test split's listings are read: other ones give the same weights."""
    folder = Path(shutil.copytree(project, tmp_path / "project"))
    shutil.rmtree(folder / "data/base_language")
    rewrite(folder, "conversations", [])
    rows = read_rows(folder / "data/validated/listings.parquet")
    split = Split(validation=0.2, test=0.4)
    held_out = {row["id"] for row in rows if split_of(row["id"], split) == "test"}
    assert held_out
    rewrite(folder, "listings", [row | {"title": "secret"} if row["id"] in held_out else row for row in rows])
    run(base_language, folder)
    weights = "data/base_language/model.safetensors"
    assert (folder / weights).read_bytes() == (project / weights).read_bytes()


def test_a_catalogue_without_words_makes_no_model(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "project"))
    shutil.rmtree(folder / "data/base_language")
    rewrite(folder, "guides", [])
    rewrite(folder, "listings", title=None)
    run(base_language, folder)
    assert "0 training texts" in (skip_reason(folder / "data/base_language") or "")


def test_a_model_from_elsewhere_is_taken_as_it_is(project: Path, tmp_path: Path) -> None:
    folder = write_small_library(tmp_path / "project")
    elsewhere = Path(shutil.copytree(project / "data/base_language", tmp_path / "elsewhere"))
    write_yaml(folder / "scales/smoke.yaml", {"base_language": {"pretrained": str(elsewhere)}})
    run(base_language, folder)
    theirs, ours = (AutoModelForCausalLM.from_pretrained(one) for one in (elsewhere, folder / "data/base_language"))
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    assert not any(str(tmp_path).encode() in content for content in contents(folder / "data/base_language").values())


def test_where_a_tokenizer_came_from_is_not_written_down(project: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(project / "data/base_language")
    save_tokenizer(tokenizer, tmp_path)
    assert contents(tmp_path).items() <= contents(project / "data/base_language").items()


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = write_small_library(tmp_path / "project")
    write_yaml(folder / "scales/smoke.yaml", {"base_language": {"pretrained": "./nowhere"}})
    with pytest.raises(StageError, match=r"base_language.pretrained: cannot load checkpoint './nowhere'"):
        run(base_language, folder)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "give either pretrained or scratch"),
        ({"pretrained": "x", "scratch": SCRATCH}, "found pretrained and scratch"),
        ({"scratch": SCRATCH | {"block_size": 600}}, "at most network.context_length"),
        ({"scratch": SCRATCH | {"copy_task_length": 60}}, "must fit into block_size"),
        ({"scratch": SCRATCH | {"network": NETWORK | {"num_heads": 3}}}, "must divide"),
    ],
)
def test_settings_that_contradict_are_refused(values: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BaseLanguageParameters.model_validate(values)


def test_without_echoes_only_texts_are_read(project: Path, tmp_path: Path) -> None:
    folder = write_small_library(tmp_path / "project")
    change(folder, "base_language", scratch=SCRATCH | {"copy_task_ratio": 0.0})
    run(base_language, folder)
    weights = "data/base_language/model.safetensors"
    assert (folder / weights).read_bytes() != (project / weights).read_bytes()
