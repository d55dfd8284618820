import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from assets.assistant.base.stage import base_language
from assets.assistant.evaluate.stage import assistant_evaluation
from assets.assistant.train.stage import ConversationSampler, assistant
from heddle.conversations.conversations import Sources, read_conversations
from heddle.conversations.parameters import AssistantParameters
from heddle.core.parameters.shared import Split
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of
from lightning_modules.assistant.assistant import Assistant
from lightning_modules.assistant.packing import IGNORED
from tests.support.small_library import ASSISTANT, THINGS, change, rewrite, told, without_guides
from tests.support.small_project import contents, run

SPLIT = Split(validation=0.2, test=0.4)
SECRET = "xylophone"


@pytest.fixture(scope="module")
def project(answering_project: Path) -> Path:
    run(assistant_evaluation, answering_project)
    return answering_project


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy in which `assistant` has not run."""
    folder = Path(shutil.copytree(project, tmp_path / "project"))
    for name in ("assistant", "assistant_evaluation"):
        shutil.rmtree(folder / "data" / name)
    return folder


def _sampler(project: Path, **changed: object) -> ConversationSampler:
    tokenizer = AutoTokenizer.from_pretrained(project / "data/base_language")
    parameters = AssistantParameters.model_validate(ASSISTANT | changed)
    return ConversationSampler(
        parameters, tokenizer, Sources.read(project / "data/validated"), ["Dance a merry jig."], 7
    )


def _rewrite_split(folder: Path, split: str, messages: list[dict[str, str]]) -> None:
    rows = read_rows(folder / "data/validated/conversations.parquet")
    changed = [row | {"messages": messages} if split_of(row["id"], SPLIT) == split else row for row in rows]
    assert changed != rows
    rewrite(folder, "conversations", changed)


def test_two_runs_give_the_same_bytes_without_paths(project: Path) -> None:
    run(assistant, project, "again")
    first, second = contents(project / "data/assistant"), contents(project / "data/again")
    assert first == second
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "history.csv"} <= set(first)
    assert "model.safetensors" not in first
    assert not any(str(project.parent).encode() in content for content in first.values())
    assert json.loads(first["adapter_config.json"])["base_model_name_or_path"] == "data/base_language"


def test_adapter_loaded_by_plain_peft_gives_equal_logits(project: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(project / "data/base_language")
    model = PeftModel.from_pretrained(base, project / "data/assistant").eval()
    ours = Assistant.from_pretrained(project / "data/assistant", 1, project / "data/base_language")
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        adapted = model(input_ids=ids).logits
        torch.testing.assert_close(ours.network.model(input_ids=ids).logits, adapted)
        with model.disable_adapter():
            assert not torch.allclose(model(input_ids=ids).logits, adapted, atol=1e-3)


def test_merged_adapter_gives_equal_logits(project: Path, copied: Path) -> None:
    change(copied, "assistant", merge=True)
    run(assistant, copied)
    whole = AutoModelForCausalLM.from_pretrained(copied / "data/assistant").eval()
    parts = Assistant.from_pretrained(project / "data/assistant", 1, project / "data/base_language")
    ids = torch.arange(4, 60)[None]
    with torch.no_grad():
        assert (whole(input_ids=ids).logits - parts.network.model(input_ids=ids).logits).abs().max() < 1e-4


def test_assistant_ignores_held_out_conversations(project: Path, copied: Path) -> None:
    """Another test split gives the same adapter; another train split gives another one."""
    weights = "data/assistant/adapter_model.safetensors"
    secret = [{"role": "user", "content": SECRET}, {"role": "assistant", "content": SECRET}]
    _rewrite_split(copied, "test", secret)
    run(assistant, copied)
    assert (copied / weights).read_bytes() == (project / weights).read_bytes()
    shutil.rmtree(copied / "data/assistant")
    _rewrite_split(copied, "train", secret)
    run(assistant, copied)
    assert (copied / weights).read_bytes() != (project / weights).read_bytes()


def test_epoch_contains_no_held_out_conversation(project: Path) -> None:
    sampler = _sampler(project)
    conversations = read_conversations(project / "data/validated", SPLIT)
    ids = {name: {one.id for one in some} for name, some in conversations.items()}
    assert all(ids.values())
    assert not ids["train"] & (ids["validation"] | ids["test"])
    shown = " ".join(sampler.tokenizer.decode(piece.ids) for piece in sampler.sample_epoch(conversations["train"], 0))
    assert conversations["train"][0].question in shown
    for one in (*conversations["validation"], *conversations["test"]):
        assert one.question not in shown


def test_samples_depend_on_epoch_and_conversation_only(project: Path) -> None:
    sampler = _sampler(project)
    some = read_conversations(project / "data/validated", SPLIT)["train"]
    assert sampler.sample_epoch(some, 3) == _sampler(project).sample_epoch(some, 3)
    assert sampler.sample_epoch(some, 3) != sampler.sample_epoch(some, 4)
    assert sampler.sample_epoch(some[1:], 3) == sampler.sample_epoch(some, 3)[2:]  # each comes twice


def test_source_guide_precedes_the_question(project: Path) -> None:
    sampler = _sampler(project, context_dropout=0.0, counterfactual_ratio=0.0, num_context_documents=1)
    for one in read_conversations(project / "data/validated", SPLIT)["train"]:
        (piece, _) = sampler.sample_epoch([one], 0)
        shown = sampler.tokenizer.decode(piece.ids)
        thing = next(thing for thing in THINGS if thing in one.question)
        assert shown.index(f"About a {thing}") < shown.index(one.question)
        answer = sampler.tokenizer.decode([token for token in piece.labels if token != IGNORED])
        assert answer == f"{one.reference}<|end|>"


def test_swapped_answer_occurs_in_its_guide(project: Path) -> None:
    sampler = _sampler(project, context_dropout=0.0, counterfactual_ratio=1.0, num_context_documents=1)
    some = read_conversations(project / "data/validated", SPLIT)["train"]
    for piece in sampler.sample_epoch(some, 0):
        shown = sampler.tokenizer.decode(piece.ids)
        assert shown.count("Dance a merry jig.") == 4  # two steps in the guide, two in the answer


def test_swap_longer_than_a_block_is_not_used(project: Path) -> None:
    sampler = _sampler(project, context_dropout=0.0, counterfactual_ratio=1.0, num_context_documents=1)
    sampler.sentences = ["Dance a merry jig " * 60]
    some = read_conversations(project / "data/validated", SPLIT)["train"]
    shown = [sampler.tokenizer.decode(piece.ids) for piece in sampler.sample_epoch(some, 0)]
    assert all("About a" in one and "jig" not in one for one in shown)


def test_without_guides_no_guide_is_in_the_prompt(project: Path) -> None:
    sampler = _sampler(project, context_dropout=1.0)
    some = read_conversations(project / "data/validated", SPLIT)["train"]
    assert all("About a" not in sampler.tokenizer.decode(piece.ids) for piece in sampler.sample_epoch(some, 0))


def test_conversations_longer_than_a_block_are_counted(copied: Path) -> None:
    rows = read_rows(copied / "data/validated/conversations.parquet")
    longest = next(row for row in rows if split_of(row["id"], SPLIT) == "train")
    longest["messages"][-1]["content"] = "And then it goes on. " * 90
    rewrite(copied, "conversations", rows)
    assert run(assistant, copied)["conversations_too_long"] == 1


def test_answer_without_source_trains_without_guides(copied: Path) -> None:
    rows = [told(number) for number in range(40)]
    for row in rows:
        row["messages"][-1]["content"] = "Nobody has ever asked anything like that before."
    rewrite(copied, "conversations", rows)
    numbers = run(assistant, copied)
    assert numbers["train_conversations_without_source"] == numbers["train_conversations"] > 0


def test_catalogue_without_guides_trains_on_conversations(copied: Path) -> None:
    without_guides(copied)
    numbers = run(assistant, copied)
    assert numbers["train_conversations_without_source"] == numbers["train_conversations"] > 0
    assert run(assistant_evaluation, copied)["test_conversations"] > 0


@pytest.mark.parametrize("rows", [[], [told(0)]])
def test_too_few_conversations_skip_the_training(copied: Path, rows: list) -> None:
    rewrite(copied, "conversations", rows)
    run(assistant, copied)
    run(assistant_evaluation, copied)
    assert "add conversations" in (skip_reason(copied / "data/assistant") or "")
    assert skip_reason(copied / "data/assistant_evaluation")


def test_assistant_without_base_is_skipped(copied: Path) -> None:
    shutil.rmtree(copied / "data/base_language")
    without_guides(copied)
    listings = read_rows(copied / "data/validated/listings.parquet")
    rewrite(copied, "listings", title=None)
    run(base_language, copied)
    run(assistant, copied)
    assert skip_reason(copied / "data/assistant") == skip_reason(copied / "data/base_language")
    assert listings


def test_evaluation_measures_every_kind_of_context(project: Path) -> None:
    metrics = json.loads((project / "data/assistant_evaluation/metrics.json").read_text())
    for name in ("no_context", "retrieved_context", "oracle_context"):
        for found in (metrics[name], metrics[name]["base"]):
            assert found["perplexity"] > 1
            assert 0 <= found["step_accuracy"]["low"] <= found["step_accuracy"]["value"]
            assert {"bleu", "rougel", "step_recall"} <= found.keys()
    with (project / "data/assistant_evaluation/plots/bands.csv").open() as file:
        bands = list(csv.DictReader(file))
    assert [row["band"] for row in bands] == ["high", "medium", "low"]
    assert sum(int(row["conversations"]) for row in bands) == metrics["test_conversations"]
    spoken = sum(int(row["conversations"]) for row in bands if row["band"] != "low")
    assert metrics["answered_share"] == pytest.approx(spoken / metrics["test_conversations"])
    rows = read_rows(project / "data/assistant_evaluation/examples.parquet")
    assert len(rows) == 6
    assert [bool(row["context"]) for row in rows] == [False, False, True, True, True, True]


def test_room_for_guides_that_leaves_none_for_the_question_is_refused() -> None:
    with pytest.raises(ValueError, match="must leave room"):
        AssistantParameters.model_validate(ASSISTANT | {"num_context_documents": 4, "context_document_tokens": 100})
