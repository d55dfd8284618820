"""The parameter section ``gates``: one list for each released model, with the family's own gates as the default."""

from pydantic import Field, create_model

from assets.families import RELEASED
from heddle.evaluation.gate_parameters import Gate, GatesSection

Gates: type[GatesSection] = create_model(
    "Gates",
    __base__=GatesSection,
    __module__=__name__,
    **{  # type: ignore[call-overload]
        family.name: (tuple[Gate, ...], Field(default=family.gates, description=f"gates of: {family.title}"))
        for family in RELEASED
    },
)
