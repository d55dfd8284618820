"""Parameters of ``recommender_evaluation``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class RecommenderEvaluationParameters(Section):
    """Section `recommender_evaluation`."""

    queries: int = Field(ge=1, description="largest number of query nodes, drawn by the hash of their ids")
    examples: int = Field(ge=0, description="number of queries with their recommendations in examples.parquet")
    projection_nodes: int = Field(ge=0, description="largest number of nodes on the map of embeddings")
