"""Causal language models of transformers, alone or with a LoRA adapter of peft."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.logging import disable_progress_bar

from lightning_modules.assistant.config import LlamaSize, LoraSize
from lightning_modules.assistant.packing import IGNORED, Blocks
from lightning_modules.training.hub import parse_hub_id
from lightning_modules.training.network import Network

ADAPTER_FILE = "adapter_config.json"
MODEL_CARD = "README.md"

disable_progress_bar()  # of transformers: stages print their own progress lines


class Language(Network):
    """A causal language model as a :class:`Network`, which computes logits of labelled tokens only.

    Args:
        model: a model of transformers, or a peft model around one.
    """

    def __init__(self, model: PreTrainedModel | PeftModel) -> None:
        super().__init__(model.config)
        self.model = model
        named = self.named_parameters(remove_duplicate=False)  # tied weights have two names
        self._fixed = {name for name, parameter in named if not parameter.requires_grad}

    @property
    def causal(self) -> PreTrainedModel:
        """The model of transformers; an adapter is part of its layers."""
        model = self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model
        assert isinstance(model, PreTrainedModel)
        return model

    def forward(self, blocks: Blocks) -> tuple[Tensor, Tensor]:
        """Logits (N, vocabulary) of the N labelled tokens, and their labels (N,).

        Other logits are not computed: with a large vocabulary they would need most of the memory.
        """
        states = self.causal.get_decoder()(
            input_ids=blocks.tokens,
            attention_mask=blocks.mask(),
            position_ids=blocks.positions,
            use_cache=False,
        ).last_hidden_state  # (B, T, width)
        targets = blocks.labels[:, 1:]
        labelled = targets != IGNORED
        logits = self.causal.get_output_embeddings()(states[:, :-1][labelled])
        return logits, targets[labelled]

    def generate(self, **inputs: Any) -> Tensor:
        """Call ``generate`` of transformers: prompts (B, T) -> prompts and answers (B, T + answer)."""
        generated: Tensor = self.model.generate(**inputs)  # type: ignore[operator]
        return generated

    def is_learned(self, name: str) -> bool:
        return name not in self._fixed

    def save_pretrained(self, folder: Path) -> None:
        """Write the model, or the adapter alone, in the format of transformers or peft, without absolute paths."""
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.model, PeftModel):
            # The vocabulary never grows here; "auto" would send a request to the hub.
            self.model.save_pretrained(str(folder), save_embedding_layers=False)
            (folder / MODEL_CARD).unlink(missing_ok=True)  # peft's own; stage `release` writes ours
            _sort_lists(folder / ADAPTER_FILE)
        else:
            self.model.save_pretrained(str(folder))

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Load a model without an adapter, in evaluation mode."""
        return cls(AutoModelForCausalLM.from_pretrained(folder)).eval()


def make_llama(size: LlamaSize, tokenizer: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """Build a Llama (Touvron et al. 2023) with random weights and tied input and output embeddings."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.hidden_size,
        intermediate_size=size.intermediate_size,
        num_hidden_layers=size.num_layers,
        num_attention_heads=size.num_heads,
        num_key_value_heads=size.num_key_value_heads,
        max_position_embeddings=size.context_length,
        rope_parameters={"rope_type": "default", "rope_theta": size.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig.from_model_config(config)
    return model


def load_causal(checkpoint: str) -> PreTrainedModel:
    """Load a causal language model in the precision of its checkpoint.

    Args:
        checkpoint: a local folder, or a hub id, which ``id@revision`` pins.

    Raises:
        OSError: the checkpoint does not exist, or the hub cannot be reached.
        ValueError: the checkpoint is not a causal language model.
    """
    name, revision = parse_hub_id(checkpoint)
    return AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype="auto")


def add_adapter(model: PreTrainedModel, size: LoraSize, base: str) -> PeftModel:
    """Add a LoRA adapter (Hu et al. 2021) and freeze the model's own weights. B is 0, so outputs stay equal at first.

    Args:
        model: changed in place: its layers get the adapter.
        size: of the adapter.
        base: name of the model in the adapter's config: a hub id or a path relative to the project's root.
    """
    config = LoraConfig(
        r=size.rank,
        lora_alpha=size.alpha,
        lora_dropout=size.dropout,
        target_modules=list(size.target_modules),
        task_type="CAUSAL_LM",
    )
    with _ignore_future_warnings():
        adapted = get_peft_model(model, config)
    assert isinstance(adapted, PeftModel)
    adapted.peft_config["default"].base_model_name_or_path = base
    return adapted


def load_adapter(model: PreTrainedModel, folder: Path) -> PeftModel:
    """Add the adapter of ``folder`` to a model."""
    with _ignore_future_warnings():
        return PeftModel.from_pretrained(model, str(folder))


@contextmanager
def _ignore_future_warnings() -> Iterator[None]:
    """peft uses a deprecated name of transformers, which this project cannot change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def merge_adapter(network: Language) -> Language:
    """Merge the adapter into the model's weights, in evaluation mode; ``network`` is unusable afterwards."""
    assert isinstance(network.model, PeftModel)
    return Language(network.model.merge_and_unload()).eval()


def _sort_lists(path: Path) -> None:
    """Sort the lists of a JSON file: peft writes sets, whose order differs between runs."""
    content = json.loads(path.read_text())
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in content.items()}
    path.write_text(json.dumps(ordered, indent=2, sort_keys=True) + "\n")
