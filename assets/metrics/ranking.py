"""Ranks, and how sure a mean over few queries is."""

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


def bootstrap_interval(
    values: NDArray[np.float64], resamples: int, confidence: float, seed: int
) -> tuple[float, float]:
    """The percentile interval (Efron 1979) of the mean of ``values`` (N,), drawn anew ``resamples`` times."""
    random = np.random.Generator(np.random.PCG64(seed))
    means = [random.choice(values, len(values)).mean() for _ in range(resamples)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return float(low), float(high)
