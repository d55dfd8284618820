"""A small catalogue of guides and conversations, and the parameters of a language model of a few thousand weights."""

import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.skipped import write_skipped
from heddle.encoders.parameters import Encoder
from heddle.retrieval.guide_index import guide_text, write_empty_guide_index, write_guide_index
from heddle.retrieval.lexical.bm25 import BM25Index
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder
from tests.support.tiny_sentences import write_sentence_encoder

Row = dict[str, Any]

THINGS = {
    "chair": "Glue the loose leg. Clamp it overnight.",
    "jar": "Rinse the glass well. Carry it to the bottle bank.",
    "lamp": "Unplug the old cable. Screw in a new socket.",
    "книга": "Подклейте корешок книги. Положите её под пресс.",
}
LORA = {"rank": 4, "alpha": 8, "dropout": 0.05}
LORA |= {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]}
OPTIMIZER = {"learning_rate": 1e-2, "schedule": {"kind": "cosine", "warmup_epochs": 0.2, "min_lr_ratio": 0.01}}
OPTIMIZER |= {"weight_decay": 0.01, "beta1": 0.9, "beta2": 0.98}
TRAINER = {"max_epochs": 2, "accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto"}
TRAINER |= {"precision": "32-true", "accumulate_grad_batches": 1, "gradient_clip_val": 1.0, "patience": 5}
NETWORK = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "num_key_value_heads": 1, "intermediate_size": 16}
NETWORK |= {"rope_theta": 100, "context_length": 512}
SCRATCH = {"network": NETWORK, "block_size": 96, "batch_size": 4, "copy_task_ratio": 0.3, "copy_task_length": 10}
SCRATCH |= {**OPTIMIZER, "trainer": TRAINER}
ASSISTANT = {
    "lora": LORA,
    "merge": False,
    "num_context_documents": 2,
    "context_document_tokens": 120,
    "context_dropout": 0.2,
    "counterfactual_ratio": 0.5,
}
ASSISTANT |= {"max_new_tokens": 6, "repeats": 2, "block_size": 400, "batch_size": 2, **OPTIMIZER, "trainer": TRAINER}
SECTIONS = {
    "base_language": {"scratch": SCRATCH},
    "assistant": ASSISTANT,
    "bootstrap": {"samples": 100, "confidence": 0.9},
    "assistant_evaluation": {"examples": 2},
}
SPLIT = {"validation": 0.2, "test": 0.4}
"""As in the small project's params.yaml."""


def write_small_library(folder: Path, conversations: int = 40) -> Path:
    """Write guides, listings, conversations, tokenizer and parameters into a project's folder."""
    (folder / "scales").mkdir(parents=True)
    shared = {"scale": "smoke", "seed": 7, "compute": {"threads": 1}, "split": SPLIT}
    write_yaml(folder / "params.yaml", shared)
    write_yaml(folder / "scales/smoke.yaml", SECTIONS)
    guides = [
        {"id": f"guide:{number}", "title": f"About a {thing}", "text": f"For any {thing}. {text}"}
        for number, (thing, text) in enumerate(THINGS.items())
    ]
    listings = [listing(number) for number in range(30)]
    tables = {"guides": guides, "listings": listings, "conversations": [told(n) for n in range(conversations)]}
    (folder / "data/validated").mkdir(parents=True)
    for name, schema in TABLES.items():
        write_table(folder / f"data/validated/{name}.parquet", tables.get(name, []), schema)
    (folder / "data/tokenizer").mkdir()
    words = [row["text"] for row in guides] + [row["title"] for row in listings]
    write_index(folder / "data", guides)
    (folder / "data/reranker").mkdir()
    write_skipped(folder / "data/reranker", "no question was judged; bring queries and qrels")
    learn(words, TokenizerParameters(vocab_size=400, min_frequency=2)).save(
        str(folder / "data/tokenizer/tokenizer.json")
    )
    return folder


def write_index(data: Path, guides: list[Row]) -> None:
    """Index guides, with vectors of an encoder that has learned nothing."""
    (data / "index").mkdir()
    encoder = write_sentence_encoder(data.parent / "encoder")
    said = [guide_text(guide) for guide in guides]
    vectors = SentenceEncoder.from_pretrained(str(encoder), 1).documents(said)
    write_guide_index(data / "index", guides, vectors, Encoder(name=str(encoder)), BM25Index.build(said, 1.5, 0.75))


def listing(number: int) -> Row:
    """A listing with nothing but a title."""
    row: Row = dict.fromkeys(TABLES["listings"].names)
    thing = tuple(THINGS)[number % len(THINGS)]
    return row | {"id": f"shop:{number:03}", "source": "shop", "title": f"A {thing} from the market, number {number}"}


def told(number: int) -> Row:
    """A conversation whose answer stands in a guide; every third has a system's message first."""
    thing, text = tuple(THINGS.items())[number % len(THINGS)]
    system = [{"role": "system", "content": "You help."}] if number % 3 == 0 else []
    question = {"role": "user", "content": f"My {thing}, what now? It is number {number}."}
    return {
        "id": f"talk:{number:03}",
        "messages": [*system, question, {"role": "assistant", "content": f"Sure. {text}"}],
    }


def change(folder: Path, section: str, **values: Any) -> None:
    """Set keys of a section of the scale file."""
    path = folder / "scales/smoke.yaml"
    content = YAML(typ="safe").load(path)
    content[section] |= values
    write_yaml(path, content)


def without_guides(folder: Path) -> None:
    """Take the guides away, from the tables and from the index."""
    rewrite(folder, "guides", [])
    shutil.rmtree(folder / "data/index")
    (folder / "data/index").mkdir()
    write_empty_guide_index(folder / "data/index")


def rewrite(folder: Path, table: str, rows: list[Row] | None = None, **changed: Any) -> None:
    """Replace a table's rows, or the values of every row."""
    path = folder / f"data/validated/{table}.parquet"
    kept = [row | changed for row in read_rows(path)] if rows is None else rows
    write_table(path, kept, TABLES[table])


def write_yaml(path: Path, content: dict[str, Any]) -> None:
    """YAML 1.2."""
    with path.open("w") as file:
        YAML(typ="safe").dump(content, file)
