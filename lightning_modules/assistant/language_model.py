"""A causal language model of transformers, alone or with a LoRA adapter of peft, that learns and is saved."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
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
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule

ADAPTER_FILE = "adapter_config.json"
MODEL_CARD = "README.md"

disable_progress_bar()  # transformers': stages tell their progress line by line


class Language(Network):
    """Logits of the tokens that are to be learned.

    Args:
        model: of transformers, or of peft around one.
    """

    def __init__(self, model: PreTrainedModel | PeftModel) -> None:
        super().__init__(model.config)
        self.model = model
        named = self.named_parameters(remove_duplicate=False)  # tied weights have two names
        self._fixed = {name for name, parameter in named if not parameter.requires_grad}

    @property
    def causal(self) -> PreTrainedModel:
        """The model of transformers; an adapter sits inside its layers."""
        whole = self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model
        assert isinstance(whole, PreTrainedModel)
        return whole

    def forward(self, blocks: Blocks) -> tuple[Tensor, Tensor]:
        """Logits (N, vocabulary) for the N tokens that are learned, and these tokens (N,).

        No others are computed: with a large vocabulary they would take most of the memory.
        """
        states = self.causal.get_decoder()(
            input_ids=blocks.tokens,
            attention_mask=blocks.mask(),
            position_ids=blocks.positions,
            use_cache=False,
        ).last_hidden_state  # (B, T, width)
        following = blocks.labels[:, 1:]
        learned = following != IGNORED
        logits = self.causal.get_output_embeddings()(states[:, :-1][learned])
        return logits, following[learned]

    def generate(self, **inputs: Any) -> Tensor:
        """As transformers' ``generate``: prompts (B, T) -> prompts and answers (B, T + answer)."""
        generated: Tensor = self.model.generate(**inputs)  # type: ignore[operator]
        return generated

    def is_learned(self, name: str) -> bool:
        return name not in self._fixed

    def save_pretrained(self, folder: Path) -> None:
        """What transformers or peft write: the model, or the adapter alone, without a path of this machine."""
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.model, PeftModel):
            # The vocabulary never grows here; "auto" would ask the hub whether it has.
            self.model.save_pretrained(str(folder), save_embedding_layers=False)
            (folder / MODEL_CARD).unlink(missing_ok=True)  # peft's own; stage `release` writes ours
            _sort_lists(folder / ADAPTER_FILE)
        else:
            self.model.save_pretrained(str(folder))

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """The model in ``folder``, without an adapter, in evaluation mode."""
        return cls(AutoModelForCausalLM.from_pretrained(folder)).eval()


class LanguageModule(TrainingModule):
    """A :class:`Language` that learns from packed sequences by the mean cross-entropy of the tokens to be learned."""

    network: Language

    def __init__(self, network: Language, optimizer: OptimizerSettings) -> None:
        super().__init__(network.train(), optimizer)  # what was loaded is in evaluation mode: without dropout

    def step(self, batch: Blocks) -> dict[str, Tensor]:
        logits, labels = self.network(batch)
        return {"loss": nn.functional.cross_entropy(logits.float(), labels)}


def make_llama(size: LlamaSize, tokenizer: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """A Llama that has learned nothing; input and output embeddings are one matrix."""
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
    """A causal model in the precision in which it was saved.

    Args:
        checkpoint: a local folder, or a hub id, which ``id@revision`` pins.

    Raises:
        OSError: it is not there (or the hub cannot be reached).
        ValueError: it is no causal language model.
    """
    name, revision = parse_hub_id(checkpoint)
    return AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype="auto")


def add_adapter(model: PreTrainedModel, size: LoraSize, base: str) -> PeftModel:
    """A new adapter on a model, whose own weights no longer learn; at first it changes nothing, for B is 0.

    Args:
        model: changed in place: its layers get the adapter.
        size: of the adapter.
        base: what the adapter's config calls the model: a hub id or a path relative to the project's root.
    """
    config = LoraConfig(
        r=size.rank,
        lora_alpha=size.alpha,
        lora_dropout=size.dropout,
        target_modules=list(size.target_modules),
        task_type="CAUSAL_LM",
    )
    with _without_old_names():
        adapted = get_peft_model(model, config)
    assert isinstance(adapted, PeftModel)
    adapted.peft_config["default"].base_model_name_or_path = base
    return adapted


def load_adapter(model: PreTrainedModel, folder: Path) -> PeftModel:
    """A model with the adapter that lies in ``folder``."""
    with _without_old_names():
        return PeftModel.from_pretrained(model, str(folder))


@contextmanager
def _without_old_names() -> Iterator[None]:
    """peft asks transformers by a name that is going out of use, which nobody here can change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def merge_adapter(network: Language) -> Language:
    """The model with its adapter's product added to its weights; what was given is changed and of no more use."""
    assert isinstance(network.model, PeftModel)
    return Language(network.model.merge_and_unload()).eval()


def _sort_lists(path: Path) -> None:
    """peft keeps names in sets, whose order differs from run to run."""
    content = json.loads(path.read_text())
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in content.items()}
    path.write_text(json.dumps(ordered, indent=2, sort_keys=True) + "\n")
