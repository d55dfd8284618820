"""Parameters of the stage `validated`."""

from typing import Annotated

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section
from heddle.validation.expectations import EXPECTATIONS

Share = Annotated[float, Field(ge=0, le=1)]


class ValidatedParameters(Section):
    """Section `validated`."""

    bounds: dict[str, Share] = Field(
        default={}, description="name of an expectation -> largest share of failing rows; overrides its default"
    )
    released: tuple[str, ...] = Field(
        default=(), description="ids of failing rows that are accepted (`heddle quarantine release`)"
    )

    @field_validator("bounds")
    @classmethod
    def _names_are_known(cls, bounds: dict[str, float]) -> dict[str, float]:
        known = {each.name for each in EXPECTATIONS}
        if unknown := sorted(bounds.keys() - known):
            raise ValueError(f"unknown expectation {', '.join(unknown)}; allowed: {', '.join(sorted(known))}")
        return bounds
