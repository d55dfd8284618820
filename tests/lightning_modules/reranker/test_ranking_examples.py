"""Groups of guides for each query: sampling, batches, loss and validation metric."""

import random
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.reranker.ranking_examples import GroupBatch, RankingExample, listwise_loss, sample_group
from lightning_modules.reranker.training import GroupData, RankingProgress
from lightning_modules.training.settings import GroupSettings

SETTINGS = GroupSettings(relevant=2, hard_negatives=2, random_negatives=1, batch_size=2)
GUIDES = [f"guide {number}" for number in range(12)]


def encode(questions, texts):
    return {
        "input_ids": torch.tensor([[int(q), int(text.split()[1])] for q, text in zip(questions, texts, strict=True)])
    }


def data(examples: list[RankingExample], seed: int = 1) -> GroupData:
    return GroupData(examples, examples, GUIDES, encode, SETTINGS, seed)


def examples(count: int) -> list[RankingExample]:
    return [
        RankingExample(str(number), {number: 7.0, number + 1: 1.0, number + 2: 1.0}, [9, 10, 11])
        for number in range(count)
    ]


def test_listwise_loss_is_cross_entropy_with_normalised_gains() -> None:
    logits, gains = torch.tensor([0.3, -1.0, 2.0, 0.5, 0.1]), torch.tensor([7.0, 1.0, 0.0, 0.0, 3.0])
    expected = [
        torch.nn.functional.cross_entropy(logits[:3][None], torch.tensor([[7 / 8, 1 / 8, 0]])),
        torch.nn.functional.cross_entropy(logits[3:][None], torch.tensor([[0.0, 1.0]])),
    ]
    torch.testing.assert_close(listwise_loss(logits, gains, [3, 2]), torch.stack(expected).mean())


@given(st.data())
def test_sample_group_contains_best_guide_and_negatives(data: st.DataObject) -> None:
    guides = data.draw(st.integers(1, 12))
    order = data.draw(st.permutations(range(guides)))
    cut = data.draw(st.integers(1, guides))
    gains = {guide: data.draw(st.sampled_from([1.0, 3.0, 7.0])) for guide in order[:cut]}
    hard = order[cut : cut + data.draw(st.integers(0, guides))]
    settings = GroupSettings(
        relevant=data.draw(st.integers(1, 4)),
        hard_negatives=data.draw(st.integers(0, 4)),
        random_negatives=data.draw(st.integers(1, 4)),
        batch_size=1,
    )
    group = sample_group(RankingExample("?", gains, hard), guides, settings, random.Random(3))
    assert len(set(group)) == len(group)
    assert gains[group[0]] == max(gains.values())
    relevant = [guide for guide in group if guide in gains]
    assert len(relevant) == min(settings.relevant, len(gains))
    mined = [guide for guide in group if guide in hard]
    assert len(mined) >= min(settings.hard_negatives, len(hard))
    negatives = guides - len(gains)
    wanted = min(settings.hard_negatives, len(hard))
    assert len(group) - len(relevant) == wanted + min(settings.random_negatives, negatives - wanted)


def test_train_batches_depend_on_epoch_and_seed_only() -> None:
    def drawn(epoch: int, seed: int = 1) -> list[list[list[int]]]:
        module = data(examples(5), seed)
        module.trainer = SimpleNamespace(current_epoch=epoch, global_rank=0, world_size=1)
        return [batch.tokens["input_ids"].tolist() for batch in module.train_dataloader()]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)
    assert drawn(0) != drawn(0, seed=2)


def test_train_batches_contain_every_query_once() -> None:
    batches = list(data(examples(5)).train_dataloader())
    assert [len(batch) for batch in batches] == [2, 2, 1]
    queries = []
    for batch in batches:
        assert sum(batch.sizes) == len(batch.gains) == len(batch.tokens["input_ids"])
        for (query, guide), gain in zip(batch.tokens["input_ids"].tolist(), batch.gains.tolist(), strict=True):
            assert gain == {0: 7.0, 1: 1.0, 2: 1.0}.get(guide - query, 0.0)
            if gain == 7.0:
                queries.append(query)
    assert sorted(queries) == [0, 1, 2, 3, 4]


def test_validation_groups_contain_relevant_and_hard_guides() -> None:
    batches = list(data(examples(3)).val_dataloader())
    pairs = [pair for batch in batches for pair in batch.tokens["input_ids"].tolist()]
    assert pairs == [[number, guide] for number in range(3) for guide in (number, number + 1, number + 2, 9, 10, 11)]


def test_ranking_progress_logs_ndcg_of_groups() -> None:
    logged = {}
    module = SimpleNamespace(log=lambda name, value, **_: logged.update({name: float(value)}))
    progress, gains = RankingProgress(), torch.tensor([0.0, 7.0, 0.0, 3.0, 0.0])
    outputs = {"logits": torch.tensor([2.0, 1.0, 0.0, 5.0, 1.0])}
    progress.on_validation_batch_end(None, module, outputs, GroupBatch({}, gains, [3, 2]), 0)
    progress.on_validation_epoch_end(None, module)
    second = 1 / torch.tensor(3.0).log2().item()  # discount of rank 2
    assert logged == {"validation_ndcg_at_10": pytest.approx((second + 1) / 2)}
