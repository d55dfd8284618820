"""The untrained language models of the small project, and made-up evaluations."""

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from assets.assistant.train.stage import BASE
from assets.reranker.evaluate.tables import EXAMPLES as FINDINGS
from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from heddle.core.csv_file import write_csv
from heddle.core.schemas import write_table
from heddle.core.skipped import write_skipped
from heddle.core.stage import METRICS_FILE, write_json
from lightning_modules.assistant.chat import make_chat_tokenizer
from lightning_modules.assistant.config import LlamaSize, LoraSize
from lightning_modules.assistant.language_model import Language, add_adapter, make_llama
from lightning_modules.tokenization.saved import save_tokenizer
from tests.support.small_library import LORA, NETWORK
from tests.support.tiny_reranker import write_reranker as write_cross_encoder

NO_ASSISTANT = "data/validated/conversations.parquet: 0 conversations to learn from; bring more conversations"
NO_RERANKER = "data/validated: 0 train queries have a relevant guide; bring queries and qrels in `catalog`"
NO_QUESTIONS = "data/validated has 0 queries to ask, none with a relevant guide; bring queries and qrels in `catalog`"
SYSTEMS = {"dense": 0.612345, "bm25": 0.5, "rrf": 0.7, "rrf_expanded": 0.8125, "rrf_reranked": 0.875}
"""Retrieval systems and their NDCG@10."""
METRICS = ("ndcg_at_10", "map", "mrr_at_10", "recall_at_10", "recall_at_100", "precision_at_5")
STEP_ACCURACY = {"no_context": 0.0625, "retrieved_context": 0.4375, "oracle_context": 0.9375}
"""Systems of the assistant's evaluation and their step accuracy."""
BASE_STEP_ACCURACY = 0.03125
"""Step accuracy of the base model in every system."""


def write_base(data: Path, texts: list[str]) -> PreTrainedTokenizerFast:
    """A Llama of a few thousand random weights; returns its tokenizer."""
    tokenizer = make_chat_tokenizer(
        learn(texts, TokenizerParameters(vocab_size=400, min_frequency=2)), NETWORK["context_length"]
    )
    torch.manual_seed(4)
    network = Language(make_llama(LlamaSize.model_validate(NETWORK), tokenizer))
    network.save_pretrained(data / "base_language")
    save_tokenizer(tokenizer, data / "base_language")
    _write_training(data / "base_language", {"parameters": network.count_parameters(), "train_texts": 24})
    return tokenizer


def write_assistant(data: Path, texts: list[str], hostile: str) -> None:
    """Write the base model with a random adapter, and a made-up evaluation."""
    tokenizer = write_base(data, texts)
    base = Language.from_pretrained(data / "base_language").causal
    adapted = Language(add_adapter(base, LoraSize.model_validate(LORA), BASE))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)  # B is 0 at first, which changes nothing
    adapted.save_pretrained(data / "assistant")
    save_tokenizer(tokenizer, data / "assistant")
    counts = {"train_conversations": 14, "validation_conversations": 5, "train_conversations_without_source": 1}
    trained = adapted.count_parameters(trainable_only=True)
    _write_training(
        data / "assistant", {**counts, "parameters": adapted.count_parameters(), "trained_parameters": trained}
    )
    _write_answers(data / "assistant_evaluation")
    _write_examples(data / "assistant_evaluation", hostile)


def write_reranker(data: Path) -> None:
    """A cross-encoder of random weights."""
    network = write_cross_encoder(data / "reranker")
    shutil.rmtree(data / "reranker_bert")
    header = ["epoch", "learning_rate", "train_loss", "validation_loss", "validation_ndcg_at_10"]
    write_csv(network / "history.csv", header, [[epoch, 0.01, 3 / epoch, 4 / epoch, 0.5] for epoch in (1, 2)])
    counts = {"train_queries": 6, "validation_queries": 3, "epochs": 2, "best_epoch": 2, "parameters": 4321}
    write_json(network / METRICS_FILE, counts)


def write_retrieval(data: Path, hostile: str) -> None:
    """Write a reranker, and an evaluation of some retrieval systems without high confidence."""
    write_reranker(data)
    folder = data / "retrieval_evaluation"
    (folder / "plots").mkdir(parents=True)
    header = ["config", "metric", "value", "low", "high", "delta_vs_rrf", "delta_low", "delta_high", "p_value"]
    rows = []
    for system, value in SYSTEMS.items():
        delta = ["", "", "", ""] if system == "rrf" else [f"{value - SYSTEMS['rrf']:.6f}", "-0.2", "0.15", "0.04"]
        rows += [[system, metric, f"{value:.6f}", f"{value - 0.05}", f"{value + 0.05}", *delta] for metric in METRICS]
    write_csv(folder / "plots/retrieval.csv", header, rows)
    counts = [["high", 0, ""], ["medium", 7, "0.857143"], ["low", 3, "0.000000"]]
    bands = [[system, *band] for system in SYSTEMS for band in counts]
    write_csv(folder / "plots/bands.csv", ["config", "band", "queries", "accuracy"], bands)
    found = [("Turn a vase into a lantern", 3), (hostile, 0), (None, None)]
    hits = [
        {"id": f"shop:g{place}", "title": title, "text": "About vases.", "score": 1.0 / place, "relevance": relevance}
        for place, (title, relevance) in enumerate(found, 1)
    ]
    examples = [
        {
            "id": f"shop:q{number}",
            "query": words,
            "config": system,
            "ndcg_at_10": 0.8125,
            "confidence": 0.2,
            "band": "medium",
        }
        | {"hits": hits if system != "bm25" else []}
        for number, words in enumerate(("what can an old vase become", hostile))
        for system in SYSTEMS
    ]
    write_table(folder / "examples.parquet", examples, FINDINGS)
    metrics: dict[str, Any] = {"guides": 2, "queries": 10, "queries_without_relevant_guide": 1}
    for system, value in SYSTEMS.items():
        metrics[system] = {metric: {"value": value, "low": value - 0.05, "high": value + 0.05} for metric in METRICS}
        if system != "rrf":
            difference = {"value": value - SYSTEMS["rrf"], "low": -0.2, "high": 0.15}
            metrics[system] |= {"ndcg_at_10_delta_vs_rrf": difference, "ndcg_at_10_delta_vs_rrf_p_value": 0.04}
    write_json(folder / METRICS_FILE, metrics)


def write_absent_answers(data: Path, texts: list[str]) -> None:
    """Without guides, questions and conversations: a base model only, and skipped evaluations."""
    write_base(data, texts)
    for name, reason in (
        ("assistant", NO_ASSISTANT),
        ("assistant_evaluation", NO_ASSISTANT),
        ("reranker", NO_RERANKER),
        ("retrieval_evaluation", NO_QUESTIONS),
    ):
        (data / name).mkdir()
        write_skipped(data / name, reason)
        write_json(data / name / METRICS_FILE, {})


def _write_answers(folder: Path) -> None:
    (folder / "plots").mkdir(parents=True)
    bands = [["high", 0, ""], ["medium", 12, "0.750000"], ["low", 4, "0.250000"]]
    write_csv(folder / "plots/bands.csv", ["band", "conversations", "accuracy"], bands)
    metrics: dict[str, Any] = {"test_conversations": 16, "answered_share": 0.75, "answered_step_accuracy": 0.8125}
    metrics |= {"retrieval_gain": 0.375, "perplexity_ratio": 0.25}
    others = {"step_recall": 0.5, "bleu": 12.5, "rouge1": 0.375, "rouge2": 0.125, "rougel": 0.25, "rougelsum": 0.25}
    for system, value in STEP_ACCURACY.items():
        metrics[system] = {
            "step_accuracy": {"value": value, "low": value - 0.03, "high": value + 0.03},
            "perplexity": 60.375,
            **others,
            "base": {
                "step_accuracy": {"value": BASE_STEP_ACCURACY, "low": 0.0, "high": 0.0625},
                "perplexity": 241.5,
                **others,
            },
        }
    write_json(folder / METRICS_FILE, metrics)


def _write_examples(folder: Path, hostile: str) -> None:
    """Two conversations, one hostile, each answered without a guide, with a retrieved one and with the right one."""
    # Not while pytest loads conftests: rouge-score's absl would keep their stderr and close it (see tests/conftest.py).
    from assets.assistant.evaluate.stage import EXAMPLES

    rows: list[dict[str, Any]] = []
    for system in STEP_ACCURACY:
        context = "" if system == "no_context" else f"Mending\n{hostile}"
        answers = [("talk:1", "My chair wobbles.", f"Answer of {system}."), ("talk:2", hostile, hostile)]
        rows += [
            {"id": id_, "question": question, "context": context, "answer": answer, "reference": "Glue it."}
            | {"right": None if id_ == "talk:2" else system == "oracle_context"}
            for id_, question, answer in answers
        ]
    write_table(folder / "examples.parquet", rows, EXAMPLES)


def _write_training(folder: Path, numbers: dict[str, float]) -> None:
    header = ["epoch", "learning_rate", "train_loss", "validation_loss"]
    write_csv(folder / "history.csv", header, [[epoch, 0.01, 3 / epoch, 4 / epoch] for epoch in (1, 2, 3)])
    write_json(folder / METRICS_FILE, numbers | {"epochs": 3, "best_epoch": 2})
