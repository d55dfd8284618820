"""Which models are released, and what goes into their folders. A further model is one more entry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Attributes:
        name: of the stage that trains it, of its release folder and of its card's template.
        evaluation: the stage that judges it.
        files: what a user needs to load it, out of the stage's folder.
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


FAMILIES = (
    Family(
        name="clip",
        evaluation="clip_evaluation",
        files=("model.safetensors", "config.json", "tokenizer.json"),
        task="zero-shot-image-classification",
        parameters=("seed", "split", "shards", "tokenizer", "clip", "clip_evaluation"),
        libraries=("torch", "lightning", "transformers", "tokenizers", "safetensors", "webdataset", "pillow", "numpy"),
    ),
)
