"""Pretrain a causal language model on the guides and listings, or take one that is there already.

It reads every guide, and of the listings those of the train split; conversations it never sees. See
:mod:`heddle.conversations.conversations` for what is held out.
"""

import math
import random
from collections.abc import Sequence

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from assets.assistant.base.parameters import BaseLanguageParameters, Scratch
from heddle.conversations.conversations import Sources
from heddle.core.listing_text import all_texts
from heddle.core.parameters.shared import Compute, Split, read_seed
from heddle.core.schemas import read_rows
from heddle.core.splits import split_of
from heddle.core.stage import Metrics, Stage, StageError
from heddle.training.training import not_trained, only_first_process, write_history
from lightning_modules.assistant.chat import chat_tokenizer, text_piece
from lightning_modules.assistant.copying import echo_piece
from lightning_modules.assistant.language_model import Language, LanguageModule, llama, load_causal
from lightning_modules.assistant.packing import PackedData, Piece
from lightning_modules.tokenization.saved import save_tokenizer
from lightning_modules.training.hub import parse_hub_id
from lightning_modules.training.train import train


def base_language(stage: Stage) -> Metrics:
    """Write model, tokenizer and, if it was trained here, its history; say so if there is nothing to read."""
    parameters = stage.parameters(BaseLanguageParameters)
    if parameters.pretrained is not None:
        return _taken(stage, parameters.pretrained)
    assert parameters.scratch is not None  # as the parameters made sure
    training, validation = _texts(stage)
    if not training or not validation:
        reason = (
            f"data/validated: {len(training)} texts to learn from and {len(validation)} to validate with, "
            "which only listings do; bring more listings with words"
        )
        return not_trained(stage, reason)
    return _trained(stage, parameters.scratch, training, validation)


def _taken(stage: Stage, checkpoint: str) -> Metrics:
    """A model from elsewhere, copied, so that all that follows is told by its content."""
    try:
        network = Language(load_causal(checkpoint))
        name, revision = parse_hub_id(checkpoint)
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError) as error:
        raise StageError(f"base_language.pretrained: {checkpoint!r} cannot be used: {error}") from error
    if tokenizer.chat_template is None:
        raise StageError(f"base_language.pretrained: {checkpoint!r} has no chat template; take an instruct model")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # never learned from, so any does
    network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    return {"parameters": network.count_parameters()}


def _texts(stage: Stage) -> tuple[list[str], list[str]]:
    """What is learned from: guides and train listings; what validates: validation listings."""
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    training, validation = list(Sources.read(validated).texts), []
    for listing in sorted(read_rows(validated / "listings.parquet"), key=lambda row: row["id"]):
        text = " ".join(all_texts(listing))
        part = split_of(listing["id"], split)
        if text and part == "train":
            training.append(text)
        elif text and part == "validation":
            validation.append(text)
    return training, validation


def _trained(stage: Stage, scratch: Scratch, training: Sequence[str], validation: Sequence[str]) -> Metrics:
    learned_words = Tokenizer.from_file(str(stage.input("tokenizer") / "tokenizer.json"))
    tokenizer = chat_tokenizer(learned_words, scratch.network.context_length)
    seed = read_seed()
    read = [piece for text in training for piece in _pieces(tokenizer, text, scratch.block_size)]
    checked = [piece for text in validation for piece in _pieces(tokenizer, text, scratch.block_size)]
    tokens = sum(len(piece.ids) for piece in read)
    stage.progress(f"reading {len(training)} texts of {tokens} tokens")
    trained = train(
        lambda: LanguageModule(Language(llama(scratch.network, tokenizer)), scratch),
        PackedData(
            lambda epoch: [*read, *_echoes(tokenizer, scratch, tokens, f"{seed} {epoch}")],
            checked,
            scratch.block_size,
            scratch.batch_size,
            tokenizer.pad_token_id,
            seed,
        ),
        scratch.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
    )
    only_first_process(trained)
    trained.network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    write_history(stage.output / "history.csv", trained.history)
    loss = trained.history[trained.best_epoch - 1]["validation_loss"]
    return {
        "parameters": trained.network.count_parameters(),
        "train_texts": len(training),
        "train_tokens": tokens,
        "validation_texts": len(validation),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "validation_loss": loss,
        "validation_perplexity": math.exp(loss),
    }


def _pieces(tokenizer: PreTrainedTokenizerBase, text: str, block: int) -> list[Piece]:
    """A framed text, in several pieces where it is longer than a block."""
    whole = text_piece(tokenizer, text)
    return [
        Piece(whole.ids[start : start + block], whole.labels[start : start + block])
        for start in range(0, len(whole.ids), block)
    ]


def _echoes(tokenizer: PreTrainedTokenizerBase, scratch: Scratch, tokens: int, seed: str) -> list[Piece]:
    """As many drawn tokens, said twice, as make their share of what is read beside ``tokens`` of text."""
    draw, wanted = random.Random(seed), tokens * scratch.copy_task_ratio / (1 - scratch.copy_task_ratio)
    echoes: list[Piece] = []
    while wanted > 0:
        echoes.append(echo_piece(tokenizer, scratch.copy_task_length, draw))
        wanted -= len(echoes[-1].ids)
    return echoes
