"""Which models are released, and what goes into their folders. A further model is one more entry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Attributes:
        name: of the stage that trains it, of its release folder and of its card's template.
        evaluation: the stage that judges it.
        files: what a user needs to load it, out of the stage's folder.
        files_if_made: more of it, which the stage writes only for some parameters; file names or patterns of them.
        files_of_evaluation: what the evaluation learned of the model that a user needs as well.
        task: Hugging Face's name of what it does.
        judged_on: what the evaluation asks about.
        numbers: which of the evaluation's stand on the card, as a pattern; the others are about something else.
        library: what loads it; peft, where it turns out to be an adapter.
        base: the stage whose model it stands upon where its folder holds an adapter.
        parameters: sections of the parameters that shaped it.
        libraries: whose versions shaped it.
    """

    name: str
    evaluation: str
    files: tuple[str, ...]
    task: str
    parameters: tuple[str, ...]
    libraries: tuple[str, ...]
    files_if_made: tuple[str, ...] = ()
    files_of_evaluation: tuple[str, ...] = ()
    judged_on: str = "listings"
    numbers: str = ".*"
    library: str = "heddle"
    base: str | None = None


TORCH = ("torch", "lightning", "transformers", "safetensors", "webdataset", "pillow", "numpy")

CLIP = Family(
    name="clip",
    evaluation="clip_evaluation",
    files=("model.safetensors", "config.json", "tokenizer.json"),
    task="zero-shot-image-classification",
    parameters=("seed", "split", "shards", "tokenizer", "clip", "clip_evaluation"),
    libraries=("torch", "lightning", "transformers", "tokenizers", "safetensors", "webdataset", "pillow", "numpy"),
)
FAMILIES = (
    CLIP,
    Family(
        name="vision",
        evaluation="vision_evaluation",
        files=("model.safetensors", "config.json"),
        task="image-classification",
        parameters=("seed", "split", "shards", "vision", "vision_evaluation"),
        libraries=TORCH,
    ),
    Family(
        name="product",
        evaluation="product_evaluation",
        files=("model.safetensors", "config.json"),
        files_if_made=("tokenizer.json",),
        task="other",
        parameters=("seed", "split", "shards", "tokenizer", "product", "product_evaluation"),
        libraries=(*TORCH, "tokenizers"),
    ),
    Family(
        name="reranker",
        evaluation="retrieval_evaluation",
        files=("config.json", "tokenizer_config.json"),
        files_if_made=("*",),  # the weights, maybe in parts, and the tokenizer of whatever it began with
        task="text-ranking",
        parameters=("seed", "split", "index", "reranker", "retrieval", "retrieval_evaluation"),
        libraries=("torch", "lightning", "transformers", "tokenizers", "safetensors"),
        judged_on="questions",
        numbers=r"guides|queries.*|(rrf|weighted)(_reranked)?_(?!expanded|reranked).*",
        library="transformers",
    ),
    Family(
        name="assistant",
        evaluation="assistant_evaluation",
        files=("tokenizer_config.json",),
        files_if_made=("*",),  # an adapter or a whole model, and the tokenizer of whatever it began with
        task="text-generation",
        parameters=("seed", "split", "tokenizer", "base_language", "assistant", "assistant_evaluation"),
        libraries=("torch", "lightning", "transformers", "peft", "tokenizers", "safetensors"),
        judged_on="conversations",
        library="transformers",
        base="base_language",
    ),
    Family(
        name="recommender",
        evaluation="recommender_evaluation",
        files=("model.safetensors", "config.json", "nodes.parquet", "edges.parquet", "encoder.json"),
        files_if_made=("projection.safetensors",),
        task="graph-ml",
        parameters=("seed", "graph", "index", "recommender", "recommender_evaluation"),
        libraries=("torch", "torch-geometric", "lightning", "safetensors", "sentence-transformers", "numpy", "pyarrow"),
        judged_on="edges",
    ),
    Family(
        name="writer",
        evaluation="writer_evaluation",
        files=("model.safetensors", "config.json", "tokenizer.json", "lexicon.json"),
        files_of_evaluation=("certainty.json",),
        task="image-to-text",
        parameters=("seed", "split", "shards", "tokenizer", "writer", "writer_evaluation"),
        libraries=(*TORCH, "tokenizers"),
    ),
)
