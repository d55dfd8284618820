"""Which models are released, and what goes into their folders. A further model is one more entry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Attributes:
        name: of the stage that trains it, of its release folder and of its card's template.
        evaluation: the stage that judges it.
        files: what a user needs to load it, out of the stage's folder.
        files_if_made: more of it, which the stage writes only for some parameters.
        task: Hugging Face's name of what it does.
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
)
