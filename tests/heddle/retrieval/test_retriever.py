"""Retrieval of guides: every mode against plain arithmetic, and the errors."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from heddle.encoders.parameters import Encoder
from heddle.retrieval.config import MODES, Mode, RetrievalConfig, RetrievalError
from heddle.retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.guide_index import GuideIndex, write_empty_guide_index, write_guide_index
from heddle.retrieval.lexical.bm25 import BM25Index
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.retriever import GuideHit, Retriever
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder
from tests.support.tiny_sentences import write_sentence_encoder

GUIDES = [
    {"id": "a", "title": "Sand", "text": "sand the old oak table"},
    {"id": "b", "title": None, "text": "paint the chair"},
    {"id": "c", "title": "Wax", "text": "wax the oak chair, then wax it again"},
    {"id": "d", "title": "სკამი", "text": "შეღებე სკამი"},
    {"id": "e", "title": "", "text": "old table"},
]
TEXTS = ["Sand\nsand the old oak table", "paint the chair", "Wax\nwax the oak chair, then wax it again"]
TEXTS += ["სკამი\nშეღებე სკამი", "old table"]
QUERY = "wax an oak table"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("retriever")
    (data / "index").mkdir()
    encoder = write_sentence_encoder(data / "encoder")
    vectors = SentenceEncoder.from_pretrained(str(encoder), 1).documents(TEXTS)
    bm25 = BM25Index.build(TEXTS, 1.5, 0.75)
    write_guide_index(data / "index", GUIDES, vectors, Encoder(name=str(encoder)), bm25)
    return data


@pytest.fixture(scope="module")
def retriever(data: Path) -> Retriever:
    return Retriever.open(data, RetrievalParameters(rerank=3), ShortestFirst(), threads=1)


class ShortestFirst:
    """A reranker that prefers short texts and records its last input."""

    read: tuple[str, Sequence[str]]

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        self.read = (query, texts)
        return np.array([-len(text) for text in texts], np.float32)


def search(
    retriever: Retriever, query: str, mode: Mode = "rrf", top_k: int = 10, expand: bool = False, rerank: bool = False
) -> list[GuideHit]:
    return retriever.search(query, RetrievalConfig(mode, expand, rerank), top_k).hits


def rankings(retriever: Retriever, query: str) -> tuple[Ranking, Ranking]:
    encoder = SentenceEncoder.from_pretrained(retriever.index.encoder.name, 1)
    dense = encoder.documents(TEXTS) @ encoder.queries([query])[0]
    return Ranking.top(dense, 99), Ranking.top(BM25Index.build(TEXTS, 1.5, 0.75).scores(query), 99).above(0)


def test_search_each_mode_is_plain_arithmetic(retriever: Retriever) -> None:
    dense, bm25 = rankings(retriever, QUERY)
    expected = {
        "dense": dense,
        "bm25": bm25,
        "rrf": reciprocal_rank_fusion([dense, bm25], 60),
        "weighted": weighted_fusion([dense, bm25], (0.6, 0.4)),
    }
    for mode in MODES:
        hits = search(retriever, QUERY, mode, top_k=99)
        assert [hit.id for hit in hits] == ["abcde"[guide] for guide in expected[mode].indices]
        assert [hit.score for hit in hits] == pytest.approx(expected[mode].scores.tolist(), abs=1e-5)
    assert 0 < len(bm25) < len(dense) == len(GUIDES)


def test_search_hit_contains_the_guide(retriever: Retriever) -> None:
    for hit in search(retriever, QUERY, top_k=99):
        guide = GUIDES["abcde".index(hit.id)]
        assert (hit.title, hit.text) == (guide["title"] or "", guide["text"])


def test_search_top_k_cuts_hits_but_not_confidence(retriever: Retriever) -> None:
    for mode in MODES:
        whole, first = (retriever.search(QUERY, RetrievalConfig(mode), top_k) for top_k in (99, 1))
        assert first.hits == whole.hits[:1]
        assert (first.confidence, first.band) == (whole.confidence, whole.band)
        if mode != "rrf":
            one, two = whole.hits[0].score, whole.hits[1].score
            assert whole.confidence == pytest.approx((one - max(two, 0)) / one)


def test_confidence_of_rrf_compares_weighted_scores(retriever: Retriever) -> None:
    fused, weighted = (retriever.search(QUERY, RetrievalConfig(mode), 99) for mode in ("rrf", "weighted"))
    score = {hit.id: hit.score for hit in weighted.hits}
    own = score.pop(fused.hits[0].id)
    assert fused.confidence == pytest.approx(max(0, own - max(score.values())) / own)
    assert fused.confidence > 0


def test_expand_finds_guides_that_share_words_with_first(data: Path) -> None:
    parameters = RetrievalParameters.model_validate({"feedback": {"guides": 1}})
    retriever = Retriever.open(data, parameters, threads=1)
    assert [hit.id for hit in search(retriever, "sand", "bm25")] == ["a"]
    assert {hit.id for hit in search(retriever, "sand", "bm25", expand=True)} == {"a", "c", "e"}
    assert search(retriever, "unheard", "bm25", expand=True) == []
    encoder = SentenceEncoder.from_pretrained(str(data / "encoder"), 1)
    query, vectors = encoder.queries([QUERY])[0], encoder.documents(TEXTS)
    first = vectors[(vectors @ query).argmax()]
    moved = query + 0.3 * first
    expected = vectors @ (moved / np.linalg.norm(moved))
    hits = search(retriever, QUERY, "dense", expand=True)
    assert [hit.score for hit in hits] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_expand_with_alpha_zero_changes_nothing(data: Path, mode: str) -> None:
    retriever = Retriever.open(data, RetrievalParameters.model_validate({"feedback": {"alpha": 0.0}}), threads=1)
    plain, expanded = search(retriever, QUERY, mode), search(retriever, QUERY, mode, expand=True)
    assert [hit.id for hit in expanded] == [hit.id for hit in plain]
    assert [hit.score for hit in expanded] == pytest.approx([hit.score for hit in plain], abs=1e-5)


def test_rerank_sorts_first_guides_by_reranker_score(retriever: Retriever) -> None:
    found = search(retriever, QUERY, "dense", top_k=3)
    hits = search(retriever, QUERY, "dense", rerank=True, top_k=99)
    assert retriever.reranker.read == (QUERY, [TEXTS["abcde".index(hit.id)] for hit in found])
    assert {hit.id for hit in hits} == {hit.id for hit in found}
    assert [hit.score for hit in hits] == sorted((-len(TEXTS["abcde".index(hit.id)]) for hit in found), reverse=True)


def test_rerank_same_query_scores_each_guide_once(data: Path) -> None:
    reader = ShortestFirst()
    retriever = Retriever.open(data, RetrievalParameters(rerank=3), reader, threads=1)
    query = retriever.encode(QUERY)
    bm25 = retriever.retrieve(query, RetrievalConfig("bm25", rerank=True))
    assert len(reader.read[1]) == 3
    dense = retriever.retrieve(query, RetrievalConfig("dense", rerank=True))
    assert not set(reader.read[1]) & {TEXTS[guide] for guide in bm25.ranking.indices}
    alone = retriever.retrieve(retriever.encode(QUERY), RetrievalConfig("dense", rerank=True))
    assert dense.ranking.indices.tolist() == alone.ranking.indices.tolist()
    assert dense.ranking.scores.tolist() == alone.ranking.scores.tolist()


def test_rerank_without_reranker_is_refused(data: Path) -> None:
    with pytest.raises(RetrievalError, match="there is no reranker"):
        search(Retriever.open(data), QUERY, "bm25", rerank=True)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_search_empty_query_is_refused(retriever: Retriever, text: str) -> None:
    with pytest.raises(RetrievalError, match="the question is empty"):
        search(retriever, text)


@pytest.mark.parametrize("mode", MODES)
def test_search_ten_thousand_words_finds_guides(retriever: Retriever, mode: str) -> None:
    words = ["wax"] + [f"word{number}" for number in range(9_998)] + ["table"]
    ids = [hit.id for hit in search(retriever, " ".join(words), mode, expand=True)]
    assert {"a", "c", "e"} <= set(ids)
    assert len(set(ids)) == len(ids)


def test_search_other_script_finds_guide(retriever: Retriever) -> None:
    assert [hit.id for hit in search(retriever, "როგორ შევღებო სკამი", "bm25")] == ["d"]
    assert len(search(retriever, "木の椅子", "rrf")) == len(GUIDES)
    assert search(retriever, "木の椅子", "bm25") == []


def test_search_only_stop_words_equals_dense(retriever: Retriever) -> None:
    assert search(retriever, "the of and", "bm25") == []
    fused = [hit.id for hit in search(retriever, "the of and", "rrf")]
    assert fused == [hit.id for hit in search(retriever, "the of and", "dense")]


@pytest.mark.parametrize("mode", MODES)
def test_search_empty_index_has_no_hits(tmp_path: Path, mode: str) -> None:
    (tmp_path / "index").mkdir()
    write_empty_guide_index(tmp_path / "index")
    empty = Retriever.open(tmp_path, reranker=ShortestFirst())
    assert dataclasses.astuple(empty.search(QUERY, RetrievalConfig(mode, True, True))) == ([], 0.0, "low")


def test_search_bm25_loads_no_encoder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("lightning_modules.sentence_encoder.sentence_encoder.SentenceEncoder.from_pretrained")
    assert search(Retriever.open(data), QUERY, "bm25", expand=True)


def test_retriever_missing_parts_are_named_in_errors(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match=r"guides\.parquet.*run `heddle run`"):
        Retriever.open(tmp_path)
    index = GuideIndex.open(data / "index")
    index.encoder = Encoder(name="no/such")
    with pytest.raises(RetrievalError, match="cannot load encoder 'no/such' of data/index"):
        Retriever(index, RetrievalParameters()).search(QUERY)
    index.encoder, index.vectors = Encoder(name=str(data / "encoder")), index.vectors[:, :5]
    with pytest.raises(
        RetrievalError, match=r"data/index: its vectors have 5 dimensions, encoder .* has 16: run `dvc repro index`"
    ):
        Retriever(index, RetrievalParameters()).search(QUERY)
    with pytest.raises(RetrievalError, match="must be at least 1, found 0"):
        Retriever.open(data).search(QUERY, top_k=0)


def test_retrieval_config_names() -> None:
    assert [
        RetrievalConfig().name,
        RetrievalConfig("dense", True).name,
        RetrievalConfig("weighted", True, True).name,
    ] == [
        "rrf",
        "dense_expanded",
        "weighted_expanded_reranked",
    ]
