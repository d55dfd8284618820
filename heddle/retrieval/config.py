"""How guides are retrieved for a query, and the error of a retrieval that is impossible."""

from dataclasses import dataclass
from typing import Literal, get_args

from heddle.core.errors import UserError

Mode = Literal["dense", "bm25", "rrf", "weighted"]
"""Vector similarity, keywords (BM25), or both: reciprocal rank fusion or the weighted sum of the scores."""
MODES: tuple[Mode, ...] = get_args(Mode)


class RetrievalError(UserError):
    """Guides cannot be retrieved; the message contains the reason and what to do."""


@dataclass(frozen=True)
class RetrievalConfig:
    """One retrieval system: a mode, with or without query expansion and reranking."""

    mode: Mode = "rrf"
    expand: bool = False
    rerank: bool = False

    @property
    def name(self) -> str:
        """``rrf``, ``dense_expanded``, ``weighted_reranked``."""
        parts: list[str] = [self.mode]
        if self.expand:
            parts.append("expanded")
        if self.rerank:
            parts.append("reranked")
        return "_".join(parts)
