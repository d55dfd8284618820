"""Asking for guides: each way against plain arithmetic, and clear words where there can be no answer."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from heddle.encoders.parameters import Encoder
from heddle.retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.guide_index import GuideIndex, write_empty_library, write_library
from heddle.retrieval.lexical.bm25 import WordIndex
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.retriever import MODES, RetrievalConfig, RetrievalError, Retriever
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder
from tests.support.tiny_sentences import write_sentence_encoder

GUIDES = [
    {"id": "a", "title": "Sand", "text": "sand the old oak table"},
    {"id": "b", "title": None, "text": "paint the chair"},
    {"id": "c", "title": "Wax", "text": "wax the oak chair, then wax it again"},
    {"id": "d", "title": "სკამი", "text": "შეღებე სკამი"},
    {"id": "e", "title": "", "text": "old table"},
]
SAID = ["Sand\nsand the old oak table", "paint the chair", "Wax\nwax the oak chair, then wax it again"]
SAID += ["სკამი\nშეღებე სკამი", "old table"]
QUERY = "wax an oak table"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("retriever")
    (data / "index").mkdir()
    encoder = write_sentence_encoder(data / "encoder")
    vectors = SentenceEncoder.from_pretrained(str(encoder), 1).documents(SAID)
    words = WordIndex.build(SAID, 1.5, 0.75)
    write_library(data / "index", GUIDES, vectors, Encoder(name=str(encoder)), words)
    return data


@pytest.fixture(scope="module")
def retriever(data: Path) -> Retriever:
    return Retriever.open(data, RetrievalParameters(rerank=3), Backwards(), threads=1)


class Backwards:
    """A reranker that likes short texts, and remembers what it read."""

    read: tuple[str, Sequence[str]]

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        self.read = (query, texts)
        return np.array([-len(text) for text in texts], np.float32)


def rankings(retriever: Retriever, query: str) -> tuple[Ranking, Ranking]:
    encoder = SentenceEncoder.from_pretrained(retriever.library.encoder.name, 1)
    dense = encoder.documents(SAID) @ encoder.queries([query])[0]
    return Ranking.of_all(dense, 99), Ranking.of_all(WordIndex.build(SAID, 1.5, 0.75).scores(query), 99).above(0)


def test_each_mode_is_plain_arithmetic(retriever: Retriever) -> None:
    dense, sparse = rankings(retriever, QUERY)
    expected = {
        "dense": dense,
        "sparse": sparse,
        "rrf": reciprocal_rank_fusion([dense, sparse], 60),
        "weighted": weighted_fusion([dense, sparse], (0.6, 0.4)),
    }
    for mode in MODES:
        hits = retriever.search(QUERY, mode, top=99)
        assert [hit.id for hit in hits] == ["abcde"[place] for place in expected[mode].places]
        assert [hit.score for hit in hits] == pytest.approx(expected[mode].scores.tolist(), abs=1e-5)
    assert 0 < len(sparse) < len(dense) == len(GUIDES)


def test_a_hit_is_the_guide(retriever: Retriever) -> None:
    for hit in retriever.search(QUERY, top=99):
        guide = GUIDES["abcde".index(hit.id)]
        assert (hit.title, hit.text) == (guide["title"] or "", guide["text"])


def test_top_cuts_the_list_but_not_the_confidence(retriever: Retriever) -> None:
    for mode in MODES:
        whole, first = (retriever.answer(QUERY, RetrievalConfig(mode), top) for top in (99, 1))
        assert first.hits == whole.hits[:1]
        assert (first.confidence, first.band) == (whole.confidence, whole.band)
        if mode != "rrf":
            one, two = whole.hits[0].score, whole.hits[1].score
            assert whole.confidence == pytest.approx((one - max(two, 0)) / one)


def test_confidence_in_fused_ranks_is_that_of_the_weighted_scores(retriever: Retriever) -> None:
    fused, weighted = (retriever.answer(QUERY, RetrievalConfig(mode), 99) for mode in ("rrf", "weighted"))
    score = {hit.id: hit.score for hit in weighted.hits}
    own = score.pop(fused.hits[0].id)
    assert fused.confidence == pytest.approx(max(0, own - max(score.values())) / own)
    assert fused.confidence > 0


def test_expansion_finds_what_shares_words_with_the_first_guides_alone(data: Path) -> None:
    parameters = RetrievalParameters.model_validate({"feedback": {"guides": 1}})
    retriever = Retriever.open(data, parameters, threads=1)
    assert [hit.id for hit in retriever.search("sand", "sparse")] == ["a"]
    assert {hit.id for hit in retriever.search("sand", "sparse", expand=True)} == {"a", "c", "e"}
    assert retriever.search("unheard", "sparse", expand=True) == []
    encoder = SentenceEncoder.from_pretrained(str(data / "encoder"), 1)
    question, vectors = encoder.queries([QUERY])[0], encoder.documents(SAID)
    first = vectors[(vectors @ question).argmax()]
    moved = question + 0.3 * first
    expected = vectors @ (moved / np.linalg.norm(moved))
    hits = retriever.search(QUERY, "dense", expand=True)
    assert [hit.score for hit in hits] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_without_weight_expansion_changes_nothing(data: Path, mode: str) -> None:
    retriever = Retriever.open(data, RetrievalParameters.model_validate({"feedback": {"alpha": 0.0}}), threads=1)
    plain, expanded = retriever.search(QUERY, mode), retriever.search(QUERY, mode, expand=True)
    assert [hit.id for hit in expanded] == [hit.id for hit in plain]
    assert [hit.score for hit in expanded] == pytest.approx([hit.score for hit in plain], abs=1e-5)


def test_a_reranker_reads_the_first_guides_and_has_the_last_word(retriever: Retriever) -> None:
    found = retriever.search(QUERY, "dense", top=3)
    hits = retriever.search(QUERY, "dense", rerank=True, top=99)
    assert retriever.reranker.read == (QUERY, [SAID["abcde".index(hit.id)] for hit in found])
    assert {hit.id for hit in hits} == {hit.id for hit in found}
    assert [hit.score for hit in hits] == sorted((-len(SAID["abcde".index(hit.id)]) for hit in found), reverse=True)


def test_a_guide_is_read_once_for_a_question_however_it_is_looked_for(data: Path) -> None:
    reader = Backwards()
    retriever = Retriever.open(data, RetrievalParameters(rerank=3), reader, threads=1)
    question = retriever.question(QUERY)
    by_words = retriever.look(question, RetrievalConfig("sparse", rerank=True))
    assert len(reader.read[1]) == 3
    by_meaning = retriever.look(question, RetrievalConfig("dense", rerank=True))
    assert not set(reader.read[1]) & {SAID[place] for place in by_words.ranking.places}
    alone = retriever.look(retriever.question(QUERY), RetrievalConfig("dense", rerank=True))
    assert by_meaning.ranking.places.tolist() == alone.ranking.places.tolist()
    assert by_meaning.ranking.scores.tolist() == alone.ranking.scores.tolist()


def test_without_a_reranker_there_is_no_reranking(data: Path) -> None:
    with pytest.raises(RetrievalError, match="there is no reranker"):
        Retriever.open(data).search(QUERY, "sparse", rerank=True)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_question_is_refused(retriever: Retriever, text: str) -> None:
    with pytest.raises(RetrievalError, match="the question is empty"):
        retriever.search(text)


@pytest.mark.parametrize("mode", MODES)
def test_a_question_of_ten_thousand_words_is_answered(retriever: Retriever, mode: str) -> None:
    words = ["wax"] + [f"word{number}" for number in range(9_998)] + ["table"]
    ids = [hit.id for hit in retriever.search(" ".join(words), mode, expand=True)]
    assert {"a", "c", "e"} <= set(ids)
    assert len(set(ids)) == len(ids)


def test_a_question_in_another_script_finds_its_guide(retriever: Retriever) -> None:
    assert [hit.id for hit in retriever.search("როგორ შევღებო სკამი", "sparse")] == ["d"]
    assert len(retriever.search("木の椅子", "rrf")) == len(GUIDES)
    assert retriever.search("木の椅子", "sparse") == []


def test_a_question_of_stop_words_alone_is_left_to_the_meaning(retriever: Retriever) -> None:
    assert retriever.search("the of and", "sparse") == []
    fused = [hit.id for hit in retriever.search("the of and", "rrf")]
    assert fused == [hit.id for hit in retriever.search("the of and", "dense")]


@pytest.mark.parametrize("mode", MODES)
def test_no_guides_are_no_hits(tmp_path: Path, mode: str) -> None:
    (tmp_path / "index").mkdir()
    write_empty_library(tmp_path / "index")
    empty = Retriever.open(tmp_path, reranker=Backwards())
    assert dataclasses.astuple(empty.answer(QUERY, RetrievalConfig(mode, True, True))) == ([], 0.0, "low")


def test_searching_by_words_loads_no_encoder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("lightning_modules.sentence_encoder.sentence_encoder.SentenceEncoder.from_pretrained")
    assert Retriever.open(data).search(QUERY, "sparse", expand=True)


def test_what_is_missing_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match=r"guides\.parquet.*run `heddle run`"):
        Retriever.open(tmp_path)
    library = GuideIndex.open(data / "index")
    library.encoder = Encoder(name="no/such")
    with pytest.raises(RetrievalError, match="the encoder of the guides, no/such, cannot be loaded"):
        Retriever(library, RetrievalParameters()).search(QUERY)
    library.encoder, library.vectors = Encoder(name=str(data / "encoder")), library.vectors[:, :5]
    with pytest.raises(RetrievalError, match="data/index was not made by"):
        Retriever(library, RetrievalParameters()).search(QUERY)
    with pytest.raises(RetrievalError, match="must be positive, found 0"):
        Retriever.open(data).search(QUERY, top=0)


def test_ways_have_names() -> None:
    assert [
        RetrievalConfig().name,
        RetrievalConfig("dense", True).name,
        RetrievalConfig("weighted", True, True).name,
    ] == [
        "rrf",
        "dense_expanded",
        "weighted_expanded_reranked",
    ]
