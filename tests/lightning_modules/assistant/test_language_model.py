from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from lightning_modules.assistant.assistant import Assistant
from lightning_modules.assistant.chat import Message, encode_chat, make_chat_tokenizer
from lightning_modules.assistant.config import LlamaSize, LoraSize
from lightning_modules.assistant.language_model import Language, add_adapter, load_causal, make_llama, merge_adapter
from lightning_modules.assistant.training import LanguageModule, PackedData
from lightning_modules.training.settings import CosineSchedule, OptimizerSettings, TrainerSettings
from lightning_modules.training.train import Trained, train

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LORA = LoraSize(rank=4, alpha=8, dropout=0.1, target_modules=TARGETS)
SIZE = LlamaSize(
    hidden_size=16,
    num_layers=2,
    num_heads=4,
    num_key_value_heads=2,
    intermediate_size=24,
    rope_theta=100,
    context_length=48,
)
TALK = [Message(role="user", content="chair"), Message(role="assistant", content="Glue the leg.")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    tokenizer = make_chat_tokenizer(learn(["glue the leg"], TokenizerParameters(vocab_size=300, min_frequency=2)), 48)
    torch.manual_seed(0)
    Language(make_llama(SIZE, tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(base: Path) -> Trained:
    tokenizer = Assistant.from_pretrained(base, 1).tokenizer
    optimizer = OptimizerSettings(
        learning_rate=0.05,
        schedule=CosineSchedule(kind="cosine", warmup_epochs=0.5, min_lr_ratio=0.01),
        weight_decay=0.01,
        beta1=0.9,
        beta2=0.999,
    )
    trainer = {"max_epochs": 3, "accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto"}
    trainer |= {"precision": "32-true", "accumulate_grad_batches": 1, "gradient_clip_val": 1.0, "patience": 3}
    pieces = [encode_chat(tokenizer, TALK)] * 4
    return train(
        lambda: LanguageModule(Language(add_adapter(load_causal(str(base)), LORA, "data/base_language")), optimizer),
        PackedData(lambda epoch: pieces, pieces, 48, 1, tokenizer.pad_token_id, 1),
        TrainerSettings.model_validate(trainer),
        seed=1,
        threads=1,
        progress=lambda message, done, total: None,
    )


def test_seed_scale_adapter_has_167_772_160_parameters() -> None:
    """Llama-3-8B's sizes; rank 64 on all seven linear layers of its 32 blocks."""
    config = LlamaConfig(
        vocab_size=128256,
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
        network = Language(add_adapter(model, LoraSize(rank=64, alpha=128, dropout=0.05, target_modules=TARGETS), "x"))
    assert network.count_parameters(trainable_only=True) == 167_772_160
    assert network.count_parameters() == 8_030_261_248 + 167_772_160


def test_training_leaves_every_weight_of_the_base_as_it_was(base: Path, trained: Trained) -> None:
    before, after = load_causal(str(base)).state_dict(), trained.network.state_dict()
    for name, value in before.items():
        inside = [other for other in after if other.endswith(name.replace(".weight", ".base_layer.weight"))]
        (found,) = inside or [other for other in after if other.endswith(name)]
        assert torch.equal(after[found], value)
    assert any("lora_B" in name and value.abs().sum() > 0 for name, value in after.items())
    assert trained.history[-1]["validation_loss"] < trained.history[0]["validation_loss"]


def test_only_what_the_adapter_learns_is_kept_while_training(trained: Trained) -> None:
    learned = {name for name in trained.network.state_dict() if trained.network.is_learned(name)}
    assert learned
    assert all("lora_" in name for name in learned)


def test_merged_and_unmerged_logits_agree(base: Path, trained: Trained, tmp_path: Path) -> None:
    trained.network.save_pretrained(tmp_path)
    Assistant.from_pretrained(base, 1).tokenizer.save_pretrained(tmp_path)
    unmerged = Assistant.from_pretrained(tmp_path, 1, base).network
    ids = torch.arange(4, 44)[None]
    with torch.no_grad():
        apart = unmerged.model(input_ids=ids).logits
        plain = load_causal(str(base)).eval()(input_ids=ids).logits
        together = merge_adapter(unmerged).model(input_ids=ids).logits
    assert (apart - together).abs().max() < 1e-4
    assert (apart - plain).abs().max() > 1e-2  # the adapter does something


def test_dropout_is_on_while_training(base: Path) -> None:
    network = Language(add_adapter(load_causal(str(base)).eval(), LORA, "x"))
    optimizer = OptimizerSettings(
        learning_rate=0.1,
        schedule=CosineSchedule(kind="cosine", warmup_epochs=0, min_lr_ratio=0.1),
        weight_decay=0,
        beta1=0.9,
        beta2=0.9,
    )
    LanguageModule(network, optimizer)
    assert all(module.training for module in network.modules())


def test_answers_are_those_of_each_prompt_alone(base: Path) -> None:
    assistant = Assistant.from_pretrained(base, 1)
    asked = [[Message(role="user", content=words)] for words in ("chair", "a much longer question", "книга 瓶子")]
    assert list(assistant.answers(asked, 6)) == [assistant.answer(one, 6) for one in asked]


def test_losses_are_transformers_own(base: Path) -> None:
    assistant = Assistant.from_pretrained(base, 1)
    piece = encode_chat(assistant.tokenizer, TALK)
    ((loss, tokens),) = assistant.losses([TALK])
    theirs = assistant.network.model(input_ids=torch.tensor([piece.ids]), labels=torch.tensor([piece.labels])).loss
    assert loss / tokens == pytest.approx(float(theirs), rel=1e-5)


def test_a_prompt_without_room_for_an_answer_is_refused(base: Path) -> None:
    assistant = Assistant.from_pretrained(base, 1)
    with pytest.raises(ValueError, match="answer of 40 tokens exceed the context"):
        assistant.answer([Message(role="user", content="chair and table")], 40)
