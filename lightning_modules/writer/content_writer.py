"""A trained :class:`Writer` as functions: inputs to content, and content to scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.layers.generation import Pick, greedy
from lightning_modules.training.inference import batched, placed
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.content_grammar import ContentGrammar
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.samples import Inputs, WriterInputs, WriterReader
from lightning_modules.writer.writer import Memory, Writer

TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True)
class Judged:
    """How sure a writer is of content."""

    certainty: dict[str, float]
    """Mean log-likelihood of the tokens of each field, its end included, its marker not; in (-∞, 0]."""
    wrong: dict[str, float]
    """Probability of each field to state an attribute that is wrong."""
    quality: float
    """The score in [0, 1] that rubric and readability are expected to give."""


@dataclass(frozen=True)
class Written(Judged):
    """Content and how sure the writer is of it."""

    fields: dict[str, Any]
    """As :meth:`ContentTokens.decode` gives them."""


class ContentWriter:
    """Inputs to content, in batches of one size: equal input gives equal bytes.

    Args:
        network: in evaluation mode.
        tokenizer: of the words; neither frames, cuts nor pads.
    """

    def __init__(self, network: Writer, tokenizer: Tokenizer) -> None:
        self.network, self.tokens = network, ContentTokens(tokenizer)
        self.grammar = ContentGrammar(self.tokens, network.device)
        self.fields = {token: name for name, token in self.tokens.field.items()}
        self.reader = reader_of(network.config, tokenizer)

    @classmethod
    def from_folder(cls, folder: Path, threads: int | None = None) -> Self:
        """The model in ``folder`` (config, weights and ``tokenizer.json``), on a GPU if there is one.

        Args:
            folder: what stage ``writer`` writes, or a released model.
            threads: of this process, from now on; as many as it has if None.
        """
        network = placed(Writer.from_pretrained(folder), threads or torch.get_num_threads())
        return cls(network, Tokenizer.from_file(str(folder / TOKENIZER_FILE)))

    @torch.inference_mode()
    def write(self, inputs: Sequence[Inputs], pick: Pick = greedy, until: str | None = None) -> list[Written]:
        """Content for each of ``inputs``, valid whatever the weights.

        Args:
            pick: the next token from logits of which those that the grammar forbids are minus infinity.
            until: the last field to write, whose words are those of whole content; all of them if None.
        """
        names = list(self.tokens.field)
        count = len(names) if until is None else names.index(until) + 1
        written: list[Written] = []
        for batch in batched(inputs):
            memory = self._memory(batch)
            tokens = self._generate(memory, pick, count)
            texts = [self.tokens.decode(row) for row in tokens.tolist()]
            scores = self._judge(memory, tokens)
            written += [Written(**vars(score), fields=fields) for score, fields in zip(scores, texts, strict=True)]
        return written

    @torch.inference_mode()
    def judge(self, inputs: Sequence[Inputs], fields: Sequence[Mapping[str, Any]]) -> list[Judged]:
        """The same scores for given content, for the fields that it has.

        Args:
            fields: of each of ``inputs``, as :meth:`ContentTokens.encode` reads them.
        """
        judged: list[Judged] = []
        for batch in batched(zip(inputs, fields, strict=True)):
            memory = self._memory([known for known, _ in batch])
            lessons = [torch.tensor(self.tokens.encode(content).tokens) for _, content in batch]
            tokens = pad_sequence(lessons, batch_first=True, padding_value=self.tokens.pad)
            judged += self._judge(memory, tokens.to(self.network.device))
        return judged

    def _memory(self, inputs: Sequence[Inputs]) -> Memory:
        known = moved(self.reader(inputs), self.network.device)
        return self.network.remember(self.network.see(known.pixels), known)

    def _generate(self, memory: Memory, pick: Pick, fields: int) -> Tensor:
        """The tokens of content's first fields from the start on, (B, T)."""
        decoding = self.network.begin(memory)
        state = self.grammar.begin(len(memory.tokens))
        written = [torch.full((len(memory.tokens),), self.tokens.start, device=self.network.device)]
        while not (over := state.field >= fields).all():
            allowed = self.grammar.allowed(state)
            logits = decoding.next_logits(written[-1][:, None]).masked_fill(~allowed, -torch.inf)
            picked = pick(logits)
            written.append(picked.masked_fill(over, self.tokens.pad))
            state = self.grammar.advance(state, picked)
        return torch.stack(written, dim=1)

    def _judge(self, memory: Memory, tokens: Tensor) -> list[Judged]:
        states = self.network.states(memory, tokens)  # (B, T, width)
        ends = tokens == self.tokens.end
        likelihoods = self.network.likelihoods(states, tokens).masked_fill(self._are_markers(tokens), 0.0)
        wrong = torch.zeros_like(likelihoods)
        wrong[ends] = self.network.wrong(states, ends, likelihoods).float().sigmoid()
        quality = self.network.quality(states, ends, memory)
        return [
            Judged(*self._by_field(row, chances, errors), score)
            for row, chances, errors, score in zip(
                tokens.tolist(), likelihoods.tolist(), wrong.tolist(), quality.tolist(), strict=True
            )
        ]

    def _are_markers(self, tokens: Tensor) -> Tensor:
        return torch.isin(tokens, torch.tensor(list(self.fields), device=tokens.device))

    def _by_field(
        self, tokens: Sequence[int], likelihoods: Sequence[float], wrong: Sequence[float]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Certainty, and the probability of an error, of each field that the tokens end."""
        certainty, errors = {}, {}
        name, chances = "", [0.0]
        for token, likelihood, error in zip(tokens, likelihoods, wrong, strict=True):
            if token in self.fields:
                name, chances = self.fields[token], []
                continue
            chances.append(likelihood)
            if token == self.tokens.end:
                certainty[name], errors[name] = sum(chances) / len(chances), error
        return certainty, errors


def reader_of(config: WriterConfig, tokenizer: Tokenizer) -> WriterReader:
    """What makes the inputs of a network."""
    return WriterReader(tokenizer, config.pad_token, config.max_objects, config.max_clauses)


def moved(inputs: WriterInputs, device: torch.device) -> WriterInputs:
    """The inputs on another device."""
    scene = type(inputs.scene)(*(part.to(device) for part in vars(inputs.scene).values()))
    return WriterInputs(inputs.pixels.to(device), scene, inputs.context.to(device), inputs.facts.to(device))
