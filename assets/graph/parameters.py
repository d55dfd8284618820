"""Section `graph`: nodes, edges, splits and statistics."""

from typing import Annotated

from pydantic import Field

from heddle.core.parameters.section import Section
from heddle.core.parameters.shared import Split


class GraphParameters(Section):
    """How the graph is built, split and described."""

    predicted: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="relations that the recommender predicts; the others are input only. null: all"
    )
    split: Split = Field(
        default=Split(validation=0.05, test=0.1), description="shares of the predicted edges, by hash of both node ids"
    )
    dimensions: int = Field(default=128, ge=1, le=4096, description="features from each node's text")
    listings: bool = Field(default=True, description="add the listings, linked to the items and materials they name")
    path_samples: int = Field(
        default=64, ge=1, description="start nodes of shortest paths, for the diameter and the centrality"
    )
    top_central: int = Field(default=10, ge=0, description="most central nodes in the statistics")
