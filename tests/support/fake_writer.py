"""A writer that has learned sellers' texts by heart, and gets every other one wrong where it sees the image alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from assets.writer.evaluate.baselines import sentence_content
from lightning_modules.layers.generation import Pick, greedy
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.content_writer import GeneratedContent, WriterScores
from lightning_modules.writer.samples import Inputs

Row = dict[str, Any]

SURE, UNSURE = -0.05, -2.0
"""Mean log likelihoods of what is right and of what is not."""


class FakeWriter:
    """Stands for :class:`lightning_modules.writer.content_writer.ContentWriter`.

    Args:
        samples: the listings that it knows, by their images.
        swaps: words that it takes for each other where it is wrong.
    """

    def __init__(self, samples: Sequence[ShardSample], swaps: Mapping[str, str]) -> None:
        self.network = SimpleNamespace(config=SimpleNamespace(resize_mode="pad"), device="cpu")
        self.rows = {sample.image.tobytes(): sample.row for sample in samples}
        self.swaps = swaps

    def write(self, inputs: Sequence[Inputs], pick: Pick = greedy, until: str | None = None) -> list[GeneratedContent]:
        written = [self._written(one) for one in inputs]
        if until is None:
            return written
        return [replace(one, fields={"alt_text": one.fields["alt_text"]}) for one in written]

    def score(self, inputs: Sequence[Inputs], fields: Sequence[Mapping[str, Any]]) -> list[WriterScores]:
        """Predict an error in every text that is not the seller's."""
        truths = [self.rows[one.image.tobytes()]["alt_text"] for one in inputs]
        return [_scores(told["alt_text"] == truth) for told, truth in zip(fields, truths, strict=True)]

    def wrong(self, row: Row) -> bool:
        """Whether it is wrong of this listing by its image alone."""
        return int(row["id"][-1]) % 2 == 0

    def _written(self, one: Inputs) -> GeneratedContent:
        row = self.rows[one.image.tobytes()]
        text = row["alt_text"] or "Nothing."
        if not one.objects:  # it knows of no other thing
            text = text.partition(", with")[0] + "."
        wrong = one.context is None and one.facts is None and self.wrong(row)
        if wrong:
            text = " ".join(self.swaps.get(word, word) for word in text.split())
        scores = _scores(not wrong)
        fields = sentence_content(text).fields() | {"tags": ["one", "two"]}
        return GeneratedContent(scores.log_likelihoods, scores.error_probabilities, 0.5, fields)


def _scores(right: bool) -> WriterScores:
    return WriterScores({"alt_text": SURE if right else UNSURE}, {"alt_text": float(np.where(right, 0.1, 0.9))}, 0.5)
