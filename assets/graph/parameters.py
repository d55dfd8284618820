"""Parameters of ``graph``."""

from typing import Annotated

from pydantic import Field

from heddle.core.parameters.section import Section
from heddle.core.parameters.shared import Split


class GraphParameters(Section):
    """What becomes of nodes and edges, and how closely the whole is looked at."""

    predicted: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="relations that the recommender predicts; the others only tell of it. null: all"
    )
    split: Split = Field(description="of the predicted edges, by hash of the two nodes' ids")
    dimensions: int = Field(default=128, ge=1, le=4096, description="of the features that come of a node's text")
    listings: bool = Field(default=True, description="listings join the graph by the items and materials they name")
    sources: int = Field(
        default=64, ge=1, description="nodes from which shortest paths are followed for diameter and centrality"
    )
    central: int = Field(default=10, ge=0, description="most central nodes that the statistics name")
