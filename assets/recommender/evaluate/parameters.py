"""Parameters of ``recommender_evaluation``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class RecommenderEvaluationParameters(Section):
    """How the recommender is asked, and how sure the answers are."""

    queries: int = Field(
        ge=1, description="most nodes that are asked for recommendations, drawn by the hash of their ids"
    )
    examples: int = Field(ge=0, description="queries that examples.parquet shows with what was recommended")
    projection_nodes: int = Field(ge=0, description="most nodes on the map of embeddings")
