"""Section `drift`: limits of the drift check against the listings of the last registered version."""

from pydantic import Field

from heddle.core.parameters.section import Section


class DriftParameters(Section):
    """Limits of the drift check. Drift is a warning; it never stops a run."""

    stability_index: float = Field(
        default=0.25, gt=0, description="largest population stability index of a field; below 0.1 is stable"
    )
    embedding_auroc: float = Field(
        default=0.7,
        ge=0.5,
        le=1,
        description="largest AUROC of a linear classifier between old and new texts; 0.5 is chance",
    )
    embedding_sample_size: int = Field(default=200, ge=20, description="listings of each side whose texts are compared")
