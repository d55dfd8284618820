"""Parameters of the drift check: how far listings may move from those of the last registered model."""

from pydantic import Field

from heddle.core.parameters.section import Section


class DriftParameters(Section):
    """Section `drift`."""

    stability_index: float = Field(
        default=0.25, gt=0, description="largest population stability index of a field that is no drift"
    )
    embedding_auc: float = Field(
        default=0.7, ge=0.5, le=1, description="ROC AUC with which a linear classifier may tell new words from old"
    )
    embedded: int = Field(default=200, ge=20, description="listings of each side whose words are compared")
