"""Ask for guides: which way of looking, how sure the answer is."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

from heddle.core.errors import UserError
from heddle.core.stage import DATA
from heddle.retrieval.confidence import Band, band, confidence, confidence_in
from heddle.retrieval.expansion import document_weights, expanded_stems, expanded_vector
from heddle.retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.guide_index import GuideIndex
from heddle.retrieval.lexical.bm25 import tokenise
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.ranking import Ranking

Mode = Literal["dense", "sparse", "rrf", "weighted"]
"""By meaning, by words (BM25), or by both: fused by ranks, or by weighted scores."""
MODES: tuple[Mode, ...] = get_args(Mode)


NOTHING = Ranking.of({})


class RetrievalError(UserError):
    """Guides cannot be looked for; the message says why and what to do."""


class Reranker(Protocol):
    """Reads a question together with each text."""

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers, larger is better, (N,)."""
        ...


@dataclass(frozen=True)
class RetrievalConfig:
    """One way of looking for guides."""

    mode: Mode = "rrf"
    expand: bool = False
    rerank: bool = False

    @property
    def name(self) -> str:
        """``rrf``, ``dense_expanded``, ``weighted_reranked``."""
        return self.mode + "_expanded" * self.expand + "_reranked" * self.rerank


@dataclass(frozen=True)
class Found:
    """The guides in the order in which a way of looking has them, and the confidence in the first, in [0, 1]."""

    ranking: Ranking
    confidence: float

    @classmethod
    def by_scores(cls, ranking: Ranking) -> Self:
        """Where the ranking's own scores tell how far apart the guides are."""
        return cls(ranking, confidence(ranking.scores[:2].tolist()))


@dataclass(frozen=True)
class GuideHit:
    """A guide that may answer a question.

    Attributes:
        title: maybe empty.
        score: cosine, BM25, the fusion's or the reranker's, as the way of looking has it; larger is better.
    """

    id: str
    title: str
    text: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What was found, best first, and how clearly the first hit stands out."""

    hits: list[GuideHit]
    confidence: float
    band: Band


class Question:
    """A question in the forms in which guides are compared with it, each made once and when it is needed.

    Args:
        text: not empty.
        encode: to a unit vector (D,).
    """

    def __init__(self, text: str, encode: Callable[[str], NDArray[np.float32]]) -> None:
        self.text, self._encode = text, encode
        self.read: dict[int, float] = {}  # places of guides -> the reranker's scores: each is read once

    @cached_property
    def stems(self) -> Counter[str]:
        """Its stems, and how often each stands in it."""
        return Counter(tokenise([self.text])[0])

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """Its unit vector, (D,)."""
        return self._encode(self.text)


class Retriever:
    """Looks for guides. Opening costs seconds, a question milliseconds.

    Args:
        library: of guides, maybe without any.
        parameters: of fusion, expansion and confidence.
        reranker: None where there is none.
        threads: of this process, once the encoder is loaded.
    """

    def __init__(
        self, library: GuideIndex, parameters: RetrievalParameters, reranker: Reranker | None = None, threads: int = 1
    ) -> None:
        self.library, self.parameters, self.reranker, self._threads = library, parameters, reranker, threads

    @classmethod
    def open(
        cls,
        data: Path = DATA,
        parameters: RetrievalParameters = RetrievalParameters(),  # noqa: B008, it is frozen
        reranker: Reranker | None = None,
        threads: int | None = None,
    ) -> Self:
        """Open the index below a data folder; the encoder is loaded when a question first needs it.

        Raises:
            RetrievalError: there is no index, or not all of it.
        """
        try:
            return cls(GuideIndex.open(data / "index"), parameters, reranker, threads or os.cpu_count() or 1)
        except FileNotFoundError as error:
            raise RetrievalError(
                f"no guides can be looked for ({error}): run `heddle run` or `dvc repro index`"
            ) from error

    def search(
        self, query: str, mode: Mode = "rrf", expand: bool = False, rerank: bool = False, top: int = 10
    ) -> list[GuideHit]:
        """The best guides for a question; as :meth:`answer`."""
        return self.answer(query, RetrievalConfig(mode, expand, rerank), top).hits

    def answer(self, query: str, way: RetrievalConfig = RetrievalConfig(), top: int = 10) -> Answer:
        """The best guides for a question, and the confidence of the first.

        Args:
            query: of any length; the encoder reads the beginning, BM25 all of it.
            way: of looking.
            top: the most hits; where both rankings or the words find fewer, there are fewer.

        Raises:
            RetrievalError: the question is empty, `top` is not positive, or there is no reranker to ask.
        """
        if top < 1:
            raise RetrievalError(f"the number of hits must be positive, found {top}")
        found = self.look(self.question(query), way)
        return Answer(
            self._hits(found.ranking.first(top)), found.confidence, band(found.confidence, self.parameters.bands)
        )

    def question(self, text: str) -> Question:
        """A question that can be asked in several ways.

        Raises:
            RetrievalError: it is empty.
        """
        if not text.strip():
            raise RetrievalError("the question is empty: give some words")
        return Question(text, self._vector)

    def look(self, question: Question, way: RetrievalConfig) -> Found:
        """Every guide found: of each of the rankings as many as `depth`; when reranked, those that were read."""
        if way.rerank and self.reranker is None:
            raise RetrievalError("there is no reranker: run `heddle run` or `dvc repro reranker` first")
        if not len(self.library):
            return Found(NOTHING, 0.0)
        found = self._found(way.mode, question, NOTHING)
        if way.expand:
            found = self._found(way.mode, question, found.ranking.first(self.parameters.feedback.guides))
        return self._reranked(question, found.ranking) if way.rerank else found

    def _found(self, mode: Mode, question: Question, feedback: Ranking) -> Found:
        if mode == "dense":
            return Found.by_scores(self._by_meaning(question, feedback))
        if mode == "sparse":
            return Found.by_scores(self._by_words(question, feedback))
        both = [self._by_meaning(question, feedback), self._by_words(question, feedback)]
        weighted = weighted_fusion(both, (self.parameters.dense_weight, 1 - self.parameters.dense_weight))
        if mode == "weighted":
            return Found.by_scores(weighted)
        # Ranks know no distances: first and second in both rankings are 1.6 % apart, whatever they score. The weighted
        # scores of the same two rankings tell how clearly the first stands out.
        fused = reciprocal_rank_fusion(both, self.parameters.rank_constant)
        return Found(fused, confidence_in(int(fused.places[0]), weighted))

    def _by_meaning(self, question: Question, feedback: Ranking) -> Ranking:
        vectors, vector = self.library.vectors, question.vector
        if len(feedback):
            weights = document_weights(feedback.scores.tolist())
            vector = expanded_vector(vector, vectors[feedback.places], weights, self.parameters.feedback.alpha)
        return Ranking.of_all(vectors @ vector, self.parameters.depth)

    def _by_words(self, question: Question, feedback: Ranking) -> Ranking:
        words, stems = self.library.words, question.stems
        assert words is not None  # as there are guides
        if not len(feedback):
            return Ranking.of_all(words.weighted_scores(stems), self.parameters.depth).above(0)
        expanded = expanded_stems(
            stems,
            tokenise([self.library.said(place) for place in feedback.places.tolist()]),
            document_weights(feedback.scores.tolist()),
            words.rarity,
            self.parameters.feedback.stems,
            self.parameters.feedback.alpha,
        )
        return Ranking.of_all(words.weighted_scores(expanded), self.parameters.depth).above(0)

    def _reranked(self, question: Question, found: Ranking) -> Found:
        assert self.reranker is not None  # as look() made sure
        first = found.first(self.parameters.rerank).places.tolist()
        unread = [place for place in first if place not in question.read]
        scores = self.reranker.scores(question.text, [self.library.said(place) for place in unread]).tolist()
        question.read |= zip(unread, scores, strict=True)
        return Found.by_scores(Ranking.of({place: question.read[place] for place in first}))

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._encoder.queries([text])[0]
        return vector

    @cached_property
    def _encoder(self) -> Any:
        from lightning_modules.sentence_encoder.sentence_encoder import (
            SentenceEncoder,  # torch takes seconds; words do not need it
        )

        made_by = self.library.encoder
        assert made_by is not None  # as there are guides
        try:
            encoder = SentenceEncoder.from_pretrained(made_by.name, self._threads, made_by.query_instruction)
        except (OSError, ValueError) as error:
            raise RetrievalError(
                f"the encoder of the guides, {made_by.name}, cannot be loaded ({error}): set index.encoder, then "
                "`dvc repro index`; or look by words alone"
            ) from error
        if encoder.dimensions != self.library.vectors.shape[1]:
            raise RetrievalError(f"data/index was not made by the {made_by.name} that is here: run `dvc repro index`")
        return encoder

    def _hits(self, ranking: Ranking) -> list[GuideHit]:
        guides = self.library
        return [
            GuideHit(guides.ids[place], guides.titles[place], guides.texts[place], score)
            for place, score in zip(ranking.places.tolist(), ranking.scores.tolist(), strict=True)
        ]
