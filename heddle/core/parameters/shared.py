"""The sections that several stages share: ``seed``, ``split`` and ``compute``."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, read_yaml, show_value


class Split(Section):
    """Held-out shares, by hash of the id, so that growth moves nothing between splits; the rest is the train split."""

    validation: float = Field(default=0.08, gt=0, lt=1, description="share of the validation split")
    test: float = Field(default=0.13, gt=0, lt=1, description="share of the test split")

    @model_validator(mode="after")
    def _leaves_a_train_split(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must leave a share for training")
        return self


class Compute(Section):
    """Where data work runs, and on how many threads."""

    threads: int = Field(
        default=2,
        ge=1,
        le=256,
        description="threads of each training or embedding process; another number, other bytes",
    )


def read_seed(root: Path = Path()) -> int:
    """``params.yaml: seed``, the root of every random draw.

    Raises:
        ParameterError: the seed is missing or no natural number.
    """
    seed = read_yaml(root / PARAMS_FILE).get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ParameterError(
            f"{root / PARAMS_FILE}: seed: found {show_value(seed)}, expected an integer from 0 to 2**32 - 1"
        )
    return seed
