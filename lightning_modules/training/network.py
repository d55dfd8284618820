"""Base class of all networks: saving, loading and counting parameters."""

import dataclasses
import json
from abc import ABC
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch import nn

from lightning_modules.training.files import read_file

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


class Network(nn.Module, ABC):
    """A network that is built from a config dataclass and saved as ``config.json`` + ``model.safetensors``.

    A subclass sets ``Config`` to its dataclass and takes one instance of it. The files contain no pickles, paths or
    times, so equal weights give equal bytes.
    """

    Config: ClassVar[type[Any]]

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    @property
    def device(self) -> torch.device:
        """Device of the first parameter."""
        return next(self.parameters()).device

    def count_parameters(self, trainable_only: bool = False) -> int:
        """Number of parameters; shared tensors count once."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not trainable_only)

    def is_learned(self, name: str) -> bool:
        """Whether training can change the entry ``name`` of the state; other entries need no checkpoint."""
        return True

    def save_pretrained(self, folder: Path) -> None:
        """Write the two files into a folder, created if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {"architecture": type(self).__name__, **dataclasses.asdict(self.config)}
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(weights, folder / WEIGHTS_FILE, metadata={"format": "pt"})

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Load the network of a folder onto the CPU, in evaluation mode.

        Raises:
            FileNotFoundError: one of the two files is missing.
            ValueError: the folder contains another architecture, or the config is invalid.
            RuntimeError: the weights do not match the config.
        """
        content = read_file(folder / CONFIG_FILE, lambda file: json.loads(file.read_text()))
        architecture = content.pop("architecture", None)
        if architecture != cls.__name__:
            raise ValueError(f"{folder / CONFIG_FILE}: found architecture {architecture!r}, expected {cls.__name__!r}")
        network = cls(TypeAdapter(cls.Config).validate_python(content))
        network.load_state_dict(read_file(folder / WEIGHTS_FILE, load_file))
        return network.eval()
