"""A trained :class:`Writer` as functions: write content for inputs, and score content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.layers.generation import Pick, greedy
from lightning_modules.training.files import read_tokenizer
from lightning_modules.training.inference import iterate_batches, prepare_for_inference
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.content_grammar import ContentGrammar
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.samples import Inputs, WriterInputs, WriterReader
from lightning_modules.writer.writer import Memory, Writer

TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True)
class WriterScores:
    """A writer's scores of content."""

    log_likelihoods: dict[str, float]
    """Field to the mean log-likelihood of its tokens, with its end and without its marker; in (-∞, 0]."""
    error_probabilities: dict[str, float]
    """Field to the probability that it contains a wrong attribute."""
    quality: float
    """Predicted mean of the rubric's and the readability's score, in [0, 1]."""


@dataclass(frozen=True)
class GeneratedContent(WriterScores):
    """Content that a writer wrote, with its scores."""

    fields: dict[str, Any]
    """As :meth:`ContentTokens.decode` returns them."""


class ContentWriter:
    """Writes and scores content in batches of constant size, so equal inputs give equal bytes.

    Args:
        network: the network in evaluation mode.
        tokenizer: its tokenizer, without templates, truncation and padding.
    """

    def __init__(self, network: Writer, tokenizer: Tokenizer) -> None:
        self.network, self.tokens = network, ContentTokens(tokenizer)
        self.grammar = ContentGrammar(self.tokens, network.device)
        self.fields = {token: name for name, token in self.tokens.field.items()}
        self.reader = make_reader(network.config, tokenizer)

    @classmethod
    def from_folder(cls, folder: Path, threads: int | None = None) -> Self:
        """Load a model (config, weights and ``tokenizer.json``), onto a GPU if one is available.

        Args:
            folder: output of the stage ``writer``, or a released model.
            threads: number of threads that this process uses from now on; None keeps it.
        """
        network = prepare_for_inference(Writer.from_pretrained(folder), threads or torch.get_num_threads())
        return cls(network, read_tokenizer(folder / TOKENIZER_FILE))

    @torch.inference_mode()
    def write(self, inputs: Sequence[Inputs], pick: Pick = greedy, until: str | None = None) -> list[GeneratedContent]:
        """Write content, which follows the schema whatever the weights are.

        Args:
            inputs: inputs of N listings.
            pick: chooses the next token from logits; those of forbidden tokens are minus infinity.
            until: last field to write; None writes all fields. Earlier fields do not depend on it.
        """
        names = list(self.tokens.field)
        count = len(names) if until is None else names.index(until) + 1
        written: list[GeneratedContent] = []
        for batch in iterate_batches(inputs):
            memory = self._memory(batch)
            tokens = self._generate(memory, pick, count)
            texts = [self.tokens.decode(row) for row in tokens.tolist()]
            scores = self._score(memory, tokens)
            written += [
                GeneratedContent(**vars(score), fields=fields) for score, fields in zip(scores, texts, strict=True)
            ]
        return written

    @torch.inference_mode()
    def score(self, inputs: Sequence[Inputs], fields: Sequence[Mapping[str, Any]]) -> list[WriterScores]:
        """Score given content.

        Args:
            inputs: inputs of N listings.
            fields: content of each listing, as :meth:`ContentTokens.encode` reads it.
        """
        scores: list[WriterScores] = []
        for batch in iterate_batches(zip(inputs, fields, strict=True)):
            memory = self._memory([one for one, _ in batch])
            encoded = [torch.tensor(self.tokens.encode(content).tokens) for _, content in batch]
            tokens = pad_sequence(encoded, batch_first=True, padding_value=self.tokens.pad)
            scores += self._score(memory, tokens.to(self.network.device))
        return scores

    def _memory(self, inputs: Sequence[Inputs]) -> Memory:
        batch = to_device(self.reader(inputs), self.network.device)
        return self.network.encode_memory(self.network.encode_image(batch.pixels), batch)

    def _generate(self, memory: Memory, pick: Pick, fields: int) -> Tensor:
        """Tokens of the content's first ``fields`` fields, with the start, (B, T)."""
        decoding = self.network.begin(memory)
        state = self.grammar.begin(len(memory.tokens))
        written = [torch.full((len(memory.tokens),), self.tokens.start, device=self.network.device)]
        while not (finished := state.field >= fields).all():
            allowed = self.grammar.allowed(state)
            logits = decoding.next_logits(written[-1][:, None]).masked_fill(~allowed, -torch.inf)
            picked = pick(logits)
            written.append(picked.masked_fill(finished, self.tokens.pad))
            state = self.grammar.advance(state, picked)
        return torch.stack(written, dim=1)

    def _score(self, memory: Memory, tokens: Tensor) -> list[WriterScores]:
        states = self.network.states(memory, tokens)  # (B, T, width)
        ends = tokens == self.tokens.end
        likelihoods = self.network.log_likelihoods(states, tokens).masked_fill(self._is_marker(tokens), 0.0)
        errors = torch.zeros_like(likelihoods)
        errors[ends] = self.network.error_logits(states, ends, likelihoods).float().sigmoid()
        quality = self.network.quality(states, ends, memory)
        return [
            WriterScores(*self._by_field(*row), score)
            for *row, score in zip(
                tokens.tolist(), likelihoods.tolist(), errors.tolist(), quality.tolist(), strict=True
            )
        ]

    def _is_marker(self, tokens: Tensor) -> Tensor:
        return torch.isin(tokens, torch.tensor(list(self.fields), device=tokens.device))

    def _by_field(
        self, tokens: Sequence[int], likelihoods: Sequence[float], errors: Sequence[float]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Mean log-likelihood and error probability of each complete field."""
        means: dict[str, float] = {}
        probabilities: dict[str, float] = {}
        name, of_field = "", [0.0]
        for token, likelihood, error in zip(tokens, likelihoods, errors, strict=True):
            if token in self.fields:
                name, of_field = self.fields[token], []
                continue
            of_field.append(likelihood)
            if token == self.tokens.end:
                means[name], probabilities[name] = sum(of_field) / len(of_field), error
        return means, probabilities


def make_reader(config: WriterConfig, tokenizer: Tokenizer) -> WriterReader:
    """The reader of a network's inputs."""
    return WriterReader(tokenizer, config.pad_token, config.max_objects, config.max_clauses)


def to_device(inputs: WriterInputs, device: torch.device) -> WriterInputs:
    """The inputs on another device."""
    scene = type(inputs.scene)(*(part.to(device) for part in vars(inputs.scene).values()))
    return WriterInputs(inputs.pixels.to(device), scene, inputs.context.to(device), inputs.facts.to(device))
