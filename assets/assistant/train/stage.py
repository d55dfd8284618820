"""Tune the base language model on the conversations of the train split, by a LoRA adapter (Hu et al. 2021).

The model is trained to answer from guides that precede the question. In training the answer itself determines which
guide that is (:meth:`heddle.conversations.conversations.Sources.source_of`). Other guides that share words with the
question may be added, as retrieval would add them (Zhang et al. 2024, RAFT).
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from heddle.conversations.conversations import Conversation, Sources, read_conversations, with_guides
from heddle.conversations.parameters import AssistantParameters
from heddle.core.listing_text import all_texts
from heddle.core.parameters.shared import Compute, Split, read_seed
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of_listing
from heddle.core.stage import Metrics, Stage
from heddle.training.training import HISTORY_FILE, exit_other_processes, skip_training, training_metrics, write_history
from lightning_modules.assistant.chat import Message, encode_chat, truncate_text
from lightning_modules.assistant.copying import split_sentences, swap_sentences
from lightning_modules.assistant.language_model import Language, add_adapter, load_causal, merge_adapter
from lightning_modules.assistant.packing import Piece
from lightning_modules.assistant.training import LanguageModule, PackedData
from lightning_modules.tokenization.saved import save_tokenizer
from lightning_modules.training.train import Trained, train

BASE = "data/base_language"
"""Path of the base model in the adapter's config, relative to the project's root."""


def assistant(stage: Stage) -> Metrics:
    """Write the adapter or the merged model, the tokenizer and the history; skip without conversations."""
    parameters = stage.parameters(AssistantParameters)
    reason = skip_reason(stage.input("base_language"))
    if reason:
        return skip_training(stage, reason)
    tokenizer = AutoTokenizer.from_pretrained(stage.input("base_language"))
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    sources, conversations = Sources.read(validated), read_conversations(validated, split)
    sampler = ConversationSampler(parameters, tokenizer, sources, _read_sentences(stage, sources, split), read_seed())
    training = sampler.select_fitting(conversations["train"])
    validation = sampler.select_fitting(conversations["validation"])
    total = sum(len(conversations[name]) for name in ("train", "validation"))
    counts = {
        "train_conversations": len(training),
        "validation_conversations": len(validation),
        "conversations_too_long": total - len(training) - len(validation),
        "train_conversations_without_source": sum(sampler.source_of(one) is None for one in training),
    }
    if not training or not validation:
        reason = (
            f"data/validated/conversations.parquet: {len(training)} train conversations and {len(validation)} "
            "validation conversations, at least one of each is needed; add conversations"
        )
        return {**counts, **skip_training(stage, reason)}
    stage.progress(f"training on {len(training)} conversations, {len(validation)} validation conversations")
    trained = _train(stage, sampler, training, validation)
    exit_other_processes(trained)
    _write(stage, parameters, trained, tokenizer)
    metrics = training_metrics(trained)
    return {
        **counts,
        **metrics,
        "trained_parameters": trained.network.count_parameters(trainable_only=True),
        "validation_perplexity": math.exp(metrics["validation_loss"]),
    }


@dataclass
class ConversationSampler:
    """Samples training examples from conversations: context documents, their order and counterfactual swaps."""

    parameters: AssistantParameters
    tokenizer: PreTrainedTokenizerBase
    sources: Sources
    sentences: Sequence[str]
    """Candidates for counterfactual swaps."""
    seed: int
    _source_indices: dict[str, int | None] = field(default_factory=dict)

    def source_of(self, conversation: Conversation) -> int | None:
        """Index of the guide that contains the answer; None if no guide does."""
        if conversation.id not in self._source_indices:
            self._source_indices[conversation.id] = self.sources.source_of(conversation)
        return self._source_indices[conversation.id]

    def sample_epoch(self, conversations: Sequence[Conversation], epoch: int) -> list[Piece]:
        """Training examples of an epoch; they depend on seed, epoch and the conversation's id only."""
        pieces = []
        for conversation in conversations:
            for repeat in range(self.parameters.repeats):
                generator = random.Random(f"{self.seed} {epoch} {repeat} {conversation.id}")
                candidates = self._sample_prompts(conversation, generator)
                pieces.append(self._encode_first_fitting(candidates, conversation))
        return pieces

    def validation_examples(self, conversations: Sequence[Conversation]) -> list[Piece]:
        """One example per conversation, with its guides and without counterfactual swaps."""
        pieces = []
        for conversation in conversations:
            generator = random.Random(f"{self.seed} {conversation.id}")
            prompt = with_guides(conversation.messages, self._sample_guides(conversation, generator))
            pieces.append(self._encode_first_fitting([prompt], conversation))
        return pieces

    def encode_without_guides(self, conversation: Conversation) -> Piece:
        """The conversation without context documents."""
        return encode_chat(self.tokenizer, conversation.messages)

    def select_fitting(self, conversations: Sequence[Conversation]) -> list[Conversation]:
        """Conversations that fit into a block without context documents."""
        return [one for one in conversations if len(self.encode_without_guides(one).ids) <= self.parameters.block_size]

    def _encode_first_fitting(self, candidates: Sequence[Sequence[Message]], conversation: Conversation) -> Piece:
        """Encode the first candidate that fits into a block; if none fits, the conversation without guides."""
        for candidate in candidates:
            piece = encode_chat(self.tokenizer, candidate)
            if len(piece.ids) <= self.parameters.block_size:
                return piece
        return self.encode_without_guides(conversation)

    def _sample_prompts(self, conversation: Conversation, generator: random.Random) -> list[list[Message]]:
        """Sample one training prompt; after a swap, which can be too long, the prompt without the swap follows."""
        guides_draw, swap_draw = generator.random(), generator.random()
        if guides_draw < self.parameters.context_dropout:
            return [list(conversation.messages)]
        guides, messages = self._sample_guides(conversation, generator), conversation.messages
        prompts = [with_guides(messages, guides)]
        if swap_draw < self.parameters.counterfactual_ratio and self.sentences:
            answers = [message["content"] for message in messages if message["role"] == "assistant"]
            guides, answers = swap_sentences(guides, answers, self.sentences, generator)
            prompts.insert(0, with_guides(_replace_answers(messages, answers), guides))
        return prompts

    def _sample_guides(self, conversation: Conversation, generator: random.Random) -> list[str]:
        """Texts of the source guide and of guides that share words with the question, in random order."""
        source = self.source_of(conversation)
        if source is None:
            return []
        nearest = self.sources.nearest(conversation.question, self.parameters.num_context_documents + 1)
        chosen = [source, *(index for index in nearest if index != source)][: self.parameters.num_context_documents]
        generator.shuffle(chosen)
        limit = self.parameters.context_document_tokens
        return [truncate_text(self.tokenizer, self.sources.texts[index], limit) for index in chosen]


def _replace_answers(messages: Sequence[Message], answers: Sequence[str]) -> list[Message]:
    """Replace the assistant's messages by ``answers``, in order."""
    remaining = iter(answers)
    return [
        Message(role="assistant", content=next(remaining)) if message["role"] == "assistant" else message
        for message in messages
    ]


def _read_sentences(stage: Stage, sources: Sources, split: Split) -> list[str]:
    """Sorted sentences of the guides and of the train listings."""
    rows = read_rows(stage.input("validated") / "listings.parquet")
    listings = [" ".join(all_texts(row)) for row in rows if split_of_listing(row, split) == "train"]
    return sorted({sentence for text in (*sources.texts, *listings) for sentence in split_sentences(text)})


def _train(
    stage: Stage, sampler: ConversationSampler, training: Sequence[Conversation], validation: Sequence[Conversation]
) -> Trained:
    parameters, folder = sampler.parameters, str(stage.input("base_language"))
    return train(
        lambda: LanguageModule(Language(add_adapter(load_causal(folder), parameters.lora, BASE)), parameters),
        PackedData(
            lambda epoch: sampler.sample_epoch(training, epoch),
            sampler.validation_examples(validation),
            parameters.block_size,
            parameters.batch_size,
            sampler.tokenizer.pad_token_id,
            sampler.seed,
        ),
        parameters.trainer,
        seed=sampler.seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
    )


def _write(stage: Stage, parameters: AssistantParameters, trained: Trained, tokenizer: PreTrainedTokenizerBase) -> None:
    network = merge_adapter(trained.network) if parameters.merge else trained.network
    network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    write_history(stage.output / HISTORY_FILE, trained.history)
