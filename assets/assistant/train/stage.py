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
from heddle.core.splits import split_of
from heddle.core.stage import Metrics, Stage
from heddle.training.training import not_trained, only_first_process, write_history
from lightning_modules.assistant.chat import Message, chat_piece, shortened
from lightning_modules.assistant.copying import sentences, swapped
from lightning_modules.assistant.language_model import Language, LanguageModule, load_causal, merged, with_adapter
from lightning_modules.assistant.packing import PackedData, Piece
from lightning_modules.tokenization.saved import save_tokenizer
from lightning_modules.training.train import Trained, train

BASE = "data/base_language"
"""What the adapter's config calls its base, from the project's root."""


def assistant(stage: Stage) -> Metrics:
    """Write the adapter, or the model with it merged in, tokenizer and history; say so without conversations."""
    parameters = stage.parameters(AssistantParameters)
    if reason := skip_reason(stage.input("base_language")):
        return not_trained(stage, reason)
    tokenizer = AutoTokenizer.from_pretrained(stage.input("base_language"))
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    sources, conversations = Sources.read(validated), read_conversations(validated, split)
    lesson = Lesson(parameters, tokenizer, sources, _pool(stage, sources, split), read_seed())
    training = lesson.those_that_fit(conversations["train"])
    validation = lesson.those_that_fit(conversations["validation"])
    counts = {
        "train_conversations": len(training),
        "validation_conversations": len(validation),
        "conversations_too_long": sum(len(conversations[name]) for name in ("train", "validation"))
        - len(training)
        - len(validation),
        "train_conversations_without_source": sum(lesson.source(one) is None for one in training),
    }
    if not training or not validation:
        reason = (
            f"data/validated/conversations.parquet: {len(training)} conversations to learn from and "
            f"{len(validation)} to validate with; bring more conversations"
        )
        return {**counts, **not_trained(stage, reason)}
    stage.progress(f"{len(training)} conversations to learn from, {len(validation)} validate")
    trained = _train(stage, lesson, training, validation)
    only_first_process(trained)
    _write(stage, parameters, trained, tokenizer)
    return {**counts, **_told(trained)}


@dataclass
class Lesson:
    """What is shown of conversations."""

    parameters: AssistantParameters
    tokenizer: PreTrainedTokenizerBase
    sources: Sources
    pool: Sequence[str]
    """Sentences to swap in."""
    seed: int
    _found: dict[str, int | None] = field(default_factory=dict)

    def source(self, conversation: Conversation) -> int | None:
        """The guide that a conversation was answered from, by its place among the sources."""
        if conversation.id not in self._found:
            self._found[conversation.id] = self.sources.source_of(conversation)
        return self._found[conversation.id]

    def drawn(self, conversations: Sequence[Conversation], epoch: int) -> list[Piece]:
        """What an epoch teaches; depends on seed, epoch and each conversation's id alone."""
        pieces = []
        for conversation in conversations:
            for time in range(self.parameters.repeats):
                draw = random.Random(f"{self.seed} {epoch} {time} {conversation.id}")
                pieces.append(self._first_that_fits(self._drawn(conversation, draw), conversation))
        return pieces

    def checked(self, conversations: Sequence[Conversation]) -> list[Piece]:
        """What validation looks at: every conversation behind its guides, nothing swapped."""
        pieces = []
        for conversation in conversations:
            draw = random.Random(f"{self.seed} {conversation.id}")
            shown = with_guides(conversation.messages, self._guides(conversation, draw))
            pieces.append(self._first_that_fits([shown], conversation))
        return pieces

    def plain(self, conversation: Conversation) -> Piece:
        """The conversation without guides."""
        return chat_piece(self.tokenizer, conversation.messages)

    def those_that_fit(self, conversations: Sequence[Conversation]) -> list[Conversation]:
        """The conversations that are not longer than a block by themselves."""
        return [one for one in conversations if len(self.plain(one).ids) <= self.parameters.block_size]

    def _first_that_fits(self, wordings: Sequence[Sequence[Message]], conversation: Conversation) -> Piece:
        """The first of some wordings that a block has room for; if none, the conversation without guides."""
        pieces = (chat_piece(self.tokenizer, wording) for wording in wordings)
        found = (piece for piece in pieces if len(piece.ids) <= self.parameters.block_size)
        return next(found, None) or self.plain(conversation)

    def _drawn(self, conversation: Conversation, draw: random.Random) -> list[list[Message]]:
        """How the conversation is shown this time; after a swap, which may be long, also how it would be without."""
        alone, swap = draw.random(), draw.random()
        if alone < self.parameters.context_dropout:
            return [list(conversation.messages)]
        guides, messages = self._guides(conversation, draw), conversation.messages
        shown = [with_guides(messages, guides)]
        if swap < self.parameters.counterfactual_ratio and self.pool:
            said = [message["content"] for message in messages if message["role"] == "assistant"]
            guides, said = swapped(guides, said, self.pool, draw)
            answers = iter(said)
            told = [
                Message(role="assistant", content=next(answers)) if message["role"] == "assistant" else message
                for message in messages
            ]
            shown.insert(0, with_guides(told, guides))
        return shown

    def _guides(self, conversation: Conversation, draw: random.Random) -> list[str]:
        """The guide that was answered from, among others that share words with the question, in a drawn order."""
        source = self.source(conversation)
        if source is None:
            return []
        near = self.sources.nearest(conversation.question, self.parameters.num_context_documents + 1)
        chosen = [source, *(place for place in near if place != source)][: self.parameters.num_context_documents]
        draw.shuffle(chosen)
        return [
            shortened(self.tokenizer, self.sources.texts[place], self.parameters.context_document_tokens)
            for place in chosen
        ]


def _pool(stage: Stage, sources: Sources, split: Split) -> list[str]:
    """The sentences of the guides and of the train split's listings."""
    rows = read_rows(stage.input("validated") / "listings.parquet")
    listings = [" ".join(all_texts(row)) for row in rows if split_of(row["id"], split) == "train"]
    return sorted({sentence for text in (*sources.texts, *listings) for sentence in sentences(text)})


def _train(
    stage: Stage, lesson: Lesson, training: Sequence[Conversation], validation: Sequence[Conversation]
) -> Trained:
    parameters, folder = lesson.parameters, str(stage.input("base_language"))
    return train(
        lambda: LanguageModule(Language(with_adapter(load_causal(folder), parameters.lora, BASE)), parameters),
        PackedData(
            lambda epoch: lesson.drawn(training, epoch),
            lesson.checked(validation),
            parameters.block_size,
            parameters.batch_size,
            lesson.tokenizer.pad_token_id,
            lesson.seed,
        ),
        parameters.trainer,
        seed=lesson.seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
    )


def _write(stage: Stage, parameters: AssistantParameters, trained: Trained, tokenizer: PreTrainedTokenizerBase) -> None:
    network = merged(trained.network) if parameters.merge else trained.network
    network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    write_history(stage.output / "history.csv", trained.history)


def _told(trained: Trained) -> Metrics:
    loss = trained.history[trained.best_epoch - 1]["validation_loss"]
    return {
        "parameters": trained.network.count_parameters(),
        "trained_parameters": trained.network.count_parameters(trainable_only=True),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "validation_loss": loss,
        "validation_perplexity": math.exp(loss),
    }
