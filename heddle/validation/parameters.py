"""Parameters of the stage `validated`: how many bad rows are still a few bad rows."""

from typing import Annotated

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section
from heddle.validation.expectations import EXPECTATIONS

Share = Annotated[float, Field(ge=0, le=1)]


class ValidatedParameters(Section):
    """Section `validated`."""

    bounds: dict[str, Share] = Field(
        default={}, description="expectation's name -> largest share of failing rows, in place of the one it comes with"
    )
    released: tuple[str, ...] = Field(
        default=(), description="ids of rows that a person lets in although they fail (`heddle quarantine release`)"
    )

    @field_validator("bounds")
    @classmethod
    def _names_are_known(cls, bounds: dict[str, float]) -> dict[str, float]:
        known = {each.name for each in EXPECTATIONS}
        if unknown := sorted(bounds.keys() - known):
            raise ValueError(f"no expectation is named {', '.join(unknown)}; allowed: {', '.join(sorted(known))}")
        return bounds
