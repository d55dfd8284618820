"""The sections that several stages share: ``seed``, ``split`` and ``compute``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, read_yaml


class Split(Section):
    """Shares of the listings that are held out; the rest is the train split."""

    validation: float = Field(gt=0, lt=1, description="share of listings that steer training")
    test: float = Field(gt=0, lt=1, description="share of listings that only evaluations see")

    @model_validator(mode="after")
    def _leaves_a_train_split(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must leave a share for training")
        return self


class Compute(Section):
    """Where the work is done."""

    engine: Literal["local"] = Field(description="what runs the data work; the functions stay the same")
    threads: int = Field(ge=1, le=256, description="of each training or embedding process")


def read_seed(root: Path = Path()) -> int:
    """``params.yaml: seed``, the root of every random draw.

    Raises:
        ParameterError: it is missing or no natural number.
    """
    seed = read_yaml(root / PARAMS_FILE).get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ParameterError(f"{root / PARAMS_FILE}: seed: found {seed!r}, expected an integer from 0 to 2**32 - 1")
    return seed
