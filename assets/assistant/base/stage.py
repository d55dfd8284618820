"""Pretrain a causal language model on guides and listings, or copy a pretrained checkpoint.

The training texts are all guides and the listings of the train split, without conversations. See
:mod:`heddle.conversations.conversations` for the held-out data.
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
from heddle.core.splits import split_of_listing
from heddle.core.stage import Metrics, Stage, StageError
from heddle.training.checkpoint import checkpoint_errors
from heddle.training.training import HISTORY_FILE, exit_other_processes, skip_training, training_metrics, write_history
from lightning_modules.assistant.chat import encode_text, make_chat_tokenizer
from lightning_modules.assistant.copying import make_copy_task
from lightning_modules.assistant.language_model import Language, load_causal, make_llama
from lightning_modules.assistant.packing import Piece
from lightning_modules.assistant.training import LanguageModule, PackedData
from lightning_modules.tokenization.saved import save_tokenizer
from lightning_modules.training.hub import parse_hub_id
from lightning_modules.training.train import train


def base_language(stage: Stage) -> Metrics:
    """Write the model, its tokenizer and, after a training, the history; skip without training texts."""
    parameters = stage.parameters(BaseLanguageParameters)
    if parameters.pretrained is not None:
        return _copy_checkpoint(stage, parameters.pretrained)
    assert parameters.scratch is not None  # the parameters require one of the two
    training, validation = _read_texts(stage)
    if not training or not validation:
        reason = (
            f"data/validated: {len(training)} training texts and {len(validation)} validation texts (from listings "
            "only), at least one of each is needed; add listings with text"
        )
        return skip_training(stage, reason)
    return _train(stage, parameters.scratch, training, validation)


def _copy_checkpoint(stage: Stage, checkpoint: str) -> Metrics:
    """Copy a checkpoint into the output, so that the versions of later stages depend on its content.

    Raises:
        StageError: the checkpoint cannot be loaded or has no chat template.
    """
    with checkpoint_errors("base_language.pretrained", checkpoint):
        network = Language(load_causal(checkpoint))
        name, revision = parse_hub_id(checkpoint)
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    if tokenizer.chat_template is None:
        raise StageError(f"base_language.pretrained: {checkpoint!r} has no chat template; use an instruct model")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # padding never contributes to the loss, so any token will do
    network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    return {"parameters": network.count_parameters()}


def _read_texts(stage: Stage) -> tuple[list[str], list[str]]:
    """Return the training texts (guides and train listings) and the validation texts (validation listings)."""
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    training, validation = list(Sources.read(validated).texts), []
    for listing in sorted(read_rows(validated / "listings.parquet"), key=lambda row: row["id"]):
        text = " ".join(all_texts(listing))
        part = split_of_listing(listing, split)
        if text and part == "train":
            training.append(text)
        elif text and part == "validation":
            validation.append(text)
    return training, validation


def _train(stage: Stage, scratch: Scratch, training: Sequence[str], validation: Sequence[str]) -> Metrics:
    catalog_tokenizer = Tokenizer.from_file(str(stage.input("tokenizer") / "tokenizer.json"))
    tokenizer = make_chat_tokenizer(catalog_tokenizer, scratch.network.context_length)
    seed = read_seed()
    train_pieces = [piece for text in training for piece in _split_text(tokenizer, text, scratch.block_size)]
    validation_pieces = [piece for text in validation for piece in _split_text(tokenizer, text, scratch.block_size)]
    tokens = sum(len(piece.ids) for piece in train_pieces)
    stage.progress(f"training on {len(training)} texts with {tokens} tokens, {len(validation)} validation texts")
    trained = train(
        lambda: LanguageModule(Language(make_llama(scratch.network, tokenizer)), scratch),
        PackedData(
            lambda epoch: [*train_pieces, *_sample_copy_tasks(tokenizer, scratch, tokens, f"{seed} {epoch}")],
            validation_pieces,
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
    exit_other_processes(trained)
    trained.network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    write_history(stage.output / HISTORY_FILE, trained.history)
    metrics = training_metrics(trained)
    return {
        **metrics,
        "train_texts": len(training),
        "train_tokens": tokens,
        "validation_texts": len(validation),
        "validation_perplexity": math.exp(metrics["validation_loss"]),
    }


def _split_text(tokenizer: PreTrainedTokenizerBase, text: str, block: int) -> list[Piece]:
    """Encode a text with start and end tokens and split it into pieces of at most ``block`` tokens."""
    whole = encode_text(tokenizer, text)
    return [
        Piece(whole.ids[start : start + block], whole.labels[start : start + block])
        for start in range(0, len(whole.ids), block)
    ]


def _sample_copy_tasks(tokenizer: PreTrainedTokenizerBase, scratch: Scratch, tokens: int, seed: str) -> list[Piece]:
    """Sample copy tasks until they make up their share of an epoch with ``tokens`` tokens of text."""
    generator, remaining = random.Random(seed), tokens * scratch.copy_task_ratio / (1 - scratch.copy_task_ratio)
    pieces: list[Piece] = []
    while remaining > 0:
        pieces.append(make_copy_task(tokenizer, scratch.copy_task_length, generator))
        remaining -= len(pieces[-1].ids)
    return pieces
