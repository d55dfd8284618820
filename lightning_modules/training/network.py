"""The base of every network: a folder in, a folder out, and a few facts about itself."""

import dataclasses
import json
from abc import ABC
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch import nn

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


class Network(nn.Module, ABC):
    """A network that is fully described by a dataclass and saved as ``config.json`` + ``model.safetensors``.

    A subclass names its config dataclass in ``Config`` and takes one instance of it.
    The files hold no pickle, no path and no time, so equal weights give equal bytes.
    """

    Config: ClassVar[type[Any]]

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    @property
    def device(self) -> torch.device:
        """Where the first parameter lies."""
        return next(self.parameters()).device

    def count_parameters(self, trainable_only: bool = False) -> int:
        """How many numbers the network learns; a tensor that is shared counts once."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not trainable_only)

    def is_learned(self, name: str) -> bool:
        """Whether training may change the entry ``name`` of the state; one that it never changes need not be kept."""
        return True

    def save_pretrained(self, folder: Path) -> None:
        """Write the two files into ``folder``, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {"architecture": type(self).__name__, **dataclasses.asdict(self.config)}
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(weights, folder / WEIGHTS_FILE, metadata={"format": "pt"})

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """The network in ``folder``, on the CPU, in evaluation mode.

        Raises:
            FileNotFoundError: one of the two files is missing.
            ValueError: the folder holds another architecture, or its config does not fit.
            RuntimeError: the weights do not fit the config.
        """
        content = json.loads((folder / CONFIG_FILE).read_text())
        architecture = content.pop("architecture", None)
        if architecture != cls.__name__:
            raise ValueError(f"{folder / CONFIG_FILE}: holds {architecture!r}, expected {cls.__name__!r}")
        network = cls(TypeAdapter(cls.Config).validate_python(content))
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        return network.eval()
