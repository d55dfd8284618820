from typing import Any

import pytest
import torch

from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.losses import WriterModule
from lightning_modules.writer.settings import LossWeights
from tests.support.tiny_writer import (
    LOSSES,
    OPTIMIZER,
    SHAPE,
    STACK,
    TOKENS,
    tiny_collate,
    tiny_config,
    tiny_row,
    tiny_samples,
    tiny_writer,
)

SAMPLES = tiny_samples(6)


def _module(seed: int = 0, losses: LossWeights = LOSSES, **changes: Any) -> WriterModule:
    return WriterModule(tiny_writer(seed, **changes), OPTIMIZER, losses)


def _only(name: str) -> LossWeights:
    return LossWeights(**{each: float(each == name) for each in LossWeights.model_fields})


def test_the_losses_are_their_formulas() -> None:
    module = _module()
    batch = tiny_collate(tiny_config(), field_shares={}, corruption_ratio=0.5)(SAMPLES, epoch=0)
    with torch.no_grad():
        told = module.step(batch)
        network, inputs = module.network, batch.inputs
        seen = network.encode_image(inputs.pixels)
        doubled = type(seen)(*(torch.cat([part, part]) for part in seen))
        memory = network.encode_memory(doubled, inputs)
        chosen, ends, quality = [], [], []
        for examples in batch.examples:
            logits = network.score(network.states(memory.select(examples.rows), examples.tokens)).log_softmax(dim=-1)
            for row in range(len(examples.rows)):
                wrong = bool(examples.has_error[row].any())
                ends += examples.has_error[row][examples.ends[row]].tolist()
                if wrong:
                    continue
                quality.append(int(examples.rows[row]))
                chosen += [
                    float(-logits[row, place - 1, examples.tokens[row, place]])
                    for place in range(1, examples.tokens.shape[1])
                    if examples.is_target[row, place]
                ]
        read = network.encode_text(batch.hidden)
        guessed = network.score(read).log_softmax(dim=-1).gather(2, batch.text[..., None])[..., 0]
    losses = told["losses"]
    assert 0 < sum(ends) < len(ends)
    assert losses["generation"] == pytest.approx(sum(chosen) / len(chosen), abs=1e-5)
    assert losses["masked"] == pytest.approx(float(-guessed[batch.masked].mean()), abs=1e-5)
    weights = LOSSES.model_dump()
    assert told["loss"] == pytest.approx(sum(weights[name] * float(loss) for name, loss in losses.items()), abs=1e-5)


def test_from_a_lesson_with_an_error_only_finding_it_is_learned() -> None:
    batch = tiny_collate(tiny_config(), field_shares={}, corruption_ratio=1.0)(SAMPLES, epoch=0)
    losses = _module().step(batch)["losses"]
    assert losses["generation"] == 0
    assert losses["quality"] == 0
    assert losses["error_detection"] > 0


def test_scores_that_are_not_known_teach_nothing() -> None:
    known, half = (
        [ShardSample(f"{number}", SAMPLES[number].image, tiny_row(number, score=score)) for number in range(6)]
        for score in (0.5, None)
    )
    collate = tiny_collate(tiny_config())
    mixed = [*known[:3], *half[3:]]
    assert _module().step(collate(half, 0))["losses"]["quality"] == 0
    assert _module().step(collate(mixed, 0))["losses"]["quality"] > 0
    assert _module().step(collate(mixed, 0))["loss"].isfinite()


@pytest.mark.parametrize(
    ("loss", "learns", "rests"),
    [
        (
            "generation",
            {"decoder", "embedding", "image", "scene", "cross_modal"},
            {"wrong_head", "quality_head", "text"},
        ),
        (
            "contrastive",
            {"text", "image", "image_projection", "text_projection", "log_scale"},
            {"decoder", "wrong_head"},
        ),
        ("masked", {"text", "embedding"}, {"decoder", "image", "scene"}),
        ("quality", {"quality_head", "decoder"}, {"wrong_head", "text"}),
        ("error_detection", {"wrong_head", "decoder"}, {"quality_head", "text"}),
    ],
)
def test_each_loss_teaches_its_parts(loss: str, learns: set[str], rests: set[str]) -> None:
    module = _module(losses=_only(loss))
    module.step(tiny_collate(tiny_config(), corruption_ratio=0.5)(SAMPLES, epoch=0))["loss"].backward()
    moved = {
        name.split(".")[0]
        for name, parameter in module.network.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().max() > 0
    }
    assert learns <= moved
    assert not rests & moved


def test_a_step_with_checkpointing_is_a_step_without() -> None:
    stack = STACK | {"dropout": 0.2}
    batch = tiny_collate(tiny_config(), corruption_ratio=0.3)(SAMPLES, epoch=0)
    found = []
    for checkpointing in (False, True):
        module = _module(gradient_checkpointing=checkpointing, decoder=stack)
        module.network.load_state_dict(_module(decoder=stack).network.state_dict())
        torch.manual_seed(1)
        module.train().step(batch)["loss"].backward()
        gradients = {name: parameter.grad for name, parameter in module.network.named_parameters()}
        found.append(gradients)
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        if gradient is not None:
            torch.testing.assert_close(gradient, found[1][name], atol=1e-6, rtol=1e-6, msg=name)


def test_it_learns_to_write_what_it_is_shown() -> None:
    module = _module(decoder=STACK | {"num_layers": 1}, scene=SHAPE["scene"] | {"num_layers": 1}).train()
    optimizer = torch.optim.AdamW(module.network.parameters(), lr=0.01)
    batch = tiny_collate(tiny_config(), field_shares={"body": 0.0, "tags": 0.0})(SAMPLES, epoch=0)
    first = None
    for _ in range(60):
        loss = module.step(batch)["losses"]["generation"]
        first = float(loss) if first is None else first
        optimizer.zero_grad()
        module.step(batch)["loss"].backward()
        optimizer.step()
    assert module.step(batch)["losses"]["generation"] < 0.3 * first
    assert TOKENS.size > 300
