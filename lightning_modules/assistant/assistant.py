"""A language model that answers: a base alone, or with the adapter that makes an assistant of it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import torch
from peft import PeftConfig
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from lightning_modules.assistant.chat import Message, encode_chat, encode_prompt
from lightning_modules.assistant.language_model import ADAPTER_FILE, Language, load_adapter, load_causal
from lightning_modules.assistant.packing import Blocks, collate_blocks
from lightning_modules.training.inference import prepare_for_inference

AT_A_TIME = 16
"""Conversations that are computed together; always as many, so that equal input gives equal bytes."""


class Assistant:
    """Answers conversations, and says how likely an answer is.

    Args:
        network: in evaluation mode.
        tokenizer: with a chat template.
        threads: of this process from now on.
    """

    def __init__(self, network: Language, tokenizer: PreTrainedTokenizerBase, threads: int) -> None:
        self.network = prepare_for_inference(network, threads)
        self.tokenizer = tokenizer
        self.tokenizer.padding_side = "left"  # an answer begins right behind its prompt

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int, base: Path | None = None) -> Self:
        """What stage ``base_language`` or stage ``assistant`` wrote.

        Args:
            folder: a model's or an adapter's, with its tokenizer.
            threads: of this process from now on.
            base: of the adapter; by default what its config names, a hub id or a path from the project's root.

        Raises:
            OSError: a file is missing.
        """
        if (folder / ADAPTER_FILE).is_file():
            named = base or PeftConfig.from_pretrained(str(folder)).base_model_name_or_path
            network = Language(load_adapter(load_causal(str(named)), folder))
        else:
            network = Language(load_causal(str(folder)))
        return cls(network.eval(), AutoTokenizer.from_pretrained(folder), threads)

    @property
    def context(self) -> int:
        """Longest prompt and answer together, tokens."""
        return int(self.network.causal.config.max_position_embeddings)

    def answer(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        """What the assistant says next.

        Raises:
            ValueError: the prompt leaves no room for so long an answer.
        """
        return next(self.answers([messages], max_new_tokens))

    def answers(self, conversations: Iterable[Sequence[Message]], max_new_tokens: int) -> Iterator[str]:
        """What the assistant says next in each: the likeliest token each time, up to the end of its turn."""
        prompts = [encode_prompt(self.tokenizer, messages) for messages in conversations]
        for start in range(0, len(prompts), AT_A_TIME):
            yield from self._continued(prompts[start : start + AT_A_TIME], max_new_tokens)

    @torch.inference_mode()
    def losses(self, conversations: Iterable[Sequence[Message]]) -> list[tuple[float, int]]:
        """Of each conversation that ends with an answer: cross-entropy in nats, summed over the tokens of the
        assistant's answers, and how many these are; ``exp(sum of losses / sum of tokens)`` is the perplexity."""
        found = []
        for messages in conversations:
            blocks = collate_blocks([[encode_chat(self.tokenizer, messages)]], self.tokenizer.pad_token_id or 0)
            found.append(self._loss(blocks))
        return found

    def _loss(self, blocks: Blocks) -> tuple[float, int]:
        device = self.network.device
        moved = Blocks(**{name: tensor.to(device) for name, tensor in vars(blocks).items()})
        logits, labels = self.network(moved)
        total = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum")
        return float(total), len(labels)

    @torch.inference_mode()
    def _continued(self, prompts: Sequence[list[int]], max_new_tokens: int) -> list[str]:
        longest = max(len(prompt) for prompt in prompts)
        if longest + max_new_tokens > self.context:
            raise ValueError(
                f"a prompt of {longest} tokens leaves no room for an answer of {max_new_tokens}: the model reads "
                f"{self.context} at most"
            )
        padded = self.tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(self.network.device)
        continued = self.network.generate(
            **padded,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        return self.tokenizer.batch_decode(continued[:, longest:], skip_special_tokens=True)
