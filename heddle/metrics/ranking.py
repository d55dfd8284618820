"""Where queries rank the candidates that are right."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
CHUNK = 1024


def own_ranks(queries: Floats, candidates: Floats, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How each query ranks the candidates, of which the one in its own row is the only right one.

    Candidates that tie with the right one stand before it: equal scores are no merit.

    Args:
        queries: unit vectors, (N, D).
        candidates: unit vectors, (N, D).
        depth: length of the ranked lists.

    Returns:
        The rank of the right candidate, from 1, (N,); the best candidates' rows, best first, (N, min(depth, N)).
    """
    ranks, heads = [], []
    for start in range(0, len(queries), CHUNK):
        likeness = queries[start : start + CHUNK] @ candidates.T  # (chunk, N)
        own = np.arange(start, start + len(likeness))
        right = likeness[np.arange(len(likeness)), own]
        ranks.append((likeness >= right[:, None]).sum(axis=1))
        is_own = np.arange(len(candidates)) == own[:, None]
        heads.append(np.lexsort((is_own, -likeness), axis=1)[:, :depth])  # by likeness, ties: the right one last
    return np.concatenate(ranks), np.concatenate(heads)
