"""Inference with a language model: a base model, with or without an adapter."""

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

BATCH_SIZE = 16
"""Conversations per batch; constant, so that equal input gives equal bytes."""


class Assistant:
    """Answers conversations and measures the cross-entropy of answers.

    Args:
        network: in evaluation mode.
        tokenizer: with a chat template.
        threads: CPU threads of this process.
    """

    def __init__(self, network: Language, tokenizer: PreTrainedTokenizerBase, threads: int) -> None:
        self.network = prepare_for_inference(network, threads)
        self.tokenizer = tokenizer
        self.tokenizer.padding_side = "left"  # so that an answer follows its prompt directly

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int, base: Path | None = None) -> Self:
        """Load the output of stage ``base_language`` or ``assistant``, onto a GPU if there is one.

        Args:
            folder: contains a model or an adapter, and its tokenizer.
            threads: CPU threads of this process.
            base: base model of the adapter; default: the one that the adapter's config names, a hub id or a path
                relative to the project's root.

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
        """Maximum length of prompt and answer together, in tokens."""
        return int(self.network.causal.config.max_position_embeddings)

    def answer(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        """Generate the assistant's next message by greedy decoding, at most ``max_new_tokens`` tokens long.

        Raises:
            ValueError: prompt and answer do not fit into the context.
        """
        return next(self.answers([messages], max_new_tokens))

    def answers(self, conversations: Iterable[Sequence[Message]], max_new_tokens: int) -> Iterator[str]:
        """Generate the assistant's next message in each conversation, as :meth:`answer` does."""
        prompts = [encode_prompt(self.tokenizer, messages) for messages in conversations]
        for start in range(0, len(prompts), BATCH_SIZE):
            yield from self._generate(prompts[start : start + BATCH_SIZE], max_new_tokens)

    @torch.inference_mode()
    def losses(self, conversations: Iterable[Sequence[Message]]) -> list[tuple[float, int]]:
        """Cross-entropy of the assistant's answers in each conversation.

        Returns:
            Per conversation the sum over the answers' tokens in nats, and the number of these tokens;
            ``exp(sum of losses / sum of tokens)`` is the perplexity.
        """
        losses = []
        for messages in conversations:
            blocks = collate_blocks([[encode_chat(self.tokenizer, messages)]], self.tokenizer.pad_token_id or 0)
            losses.append(self._compute_loss(blocks))
        return losses

    def _compute_loss(self, blocks: Blocks) -> tuple[float, int]:
        device = self.network.device
        moved = Blocks(**{name: tensor.to(device) for name, tensor in vars(blocks).items()})
        logits, labels = self.network(moved)
        total = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum")
        return float(total), len(labels)

    @torch.inference_mode()
    def _generate(self, prompts: Sequence[list[int]], max_new_tokens: int) -> list[str]:
        longest = max(len(prompt) for prompt in prompts)
        if longest + max_new_tokens > self.context:
            raise ValueError(
                f"prompt of {longest} tokens and answer of {max_new_tokens} tokens exceed the context of "
                f"{self.context} tokens"
            )
        padded = self.tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(self.network.device)
        generated = self.network.generate(
            **padded,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        return self.tokenizer.batch_decode(generated[:, longest:], skip_special_tokens=True)
