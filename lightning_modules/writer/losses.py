"""How a writer learns: five losses of one batch."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.nn import functional

from lightning_modules.training.losses import contrastive_loss
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule
from lightning_modules.writer.feature_grid import Seen
from lightning_modules.writer.sampling import Lessons, WriterBatch
from lightning_modules.writer.settings import LossWeights
from lightning_modules.writer.writer import Memory, Writer

LOSSES = tuple(LossWeights.model_fields)


class WriterModule(TrainingModule):
    """A :class:`Writer` that learns to write, to compare, to read, to judge its content and to find its errors.

    The image tower works once for all views of a listing.

    Args:
        network: what learns.
        optimizer: how.
        weights: of each loss in the sum.
    """

    network: Writer

    def __init__(self, network: Writer, optimizer: OptimizerSettings, weights: LossWeights) -> None:
        super().__init__(network, optimizer)
        self.weights = weights.model_dump()

    def step(self, batch: WriterBatch) -> dict[str, Any]:
        seen = Seen(*(torch.cat([part, part]) for part in self.network.see(batch.inputs.pixels)))
        memory = self.network.remember(seen, batch.inputs)  # of 2 B rows
        read = self.network.read(batch.hidden)
        told: dict[str, list[tuple[Tensor, int]]] = {name: [] for name in LOSSES}
        guessed = self.network.score(read[batch.masked]).float()
        masked = functional.cross_entropy(guessed, batch.text[batch.masked], reduction="sum")
        told["masked"].append((masked, len(guessed)))
        images, texts = self.network.compare(memory, read, batch.text)
        for view in images.chunk(2):
            loss = contrastive_loss(view, texts, self.network.scale())
            told["contrastive"].append((len(batch) * loss, len(batch)))
        for lessons in batch.lessons:
            quality = batch.quality[lessons.rows % len(batch)]
            self._learn(lessons, memory.select(lessons.rows), quality, told)
        losses = {
            name: torch.stack([loss for loss, _ in parts]).sum() / max(1, sum(count for _, count in parts))
            for name, parts in told.items()
        }
        total = torch.stack([self.weights[name] * loss for name, loss in losses.items()]).sum()
        return {"loss": total, "losses": {name: loss.detach() for name, loss in losses.items()}}

    def _learn(
        self, lessons: Lessons, memory: Memory, quality: Tensor, told: dict[str, list[tuple[Tensor, int]]]
    ) -> None:
        """Add sums of losses over a bucket's lessons, with the number of what was summed."""
        states = self.network.states(memory, lessons.tokens)
        judged, right = lessons.judged, ~lessons.wrong.any(dim=1)
        logits = self.network.score(states[:, :-1][judged[:, 1:]]).float()  # of no other places
        entropies = functional.cross_entropy(logits, lessons.tokens[judged], reduction="none")
        learned = right[:, None].expand_as(judged)[judged]
        told["generation"].append((entropies.masked_fill(~learned, 0.0).sum(), int(learned.sum())))
        likelihoods = torch.zeros_like(judged, dtype=torch.float32).masked_scatter(judged, -entropies.detach())
        found = self.network.wrong(states, lessons.ends, likelihoods)
        wrong = lessons.wrong[lessons.ends].to(found.dtype)
        told["error_detection"].append(
            (functional.binary_cross_entropy_with_logits(found, wrong, reduction="sum"), len(wrong))
        )
        scored = ~quality.isnan() & right
        guessed = self.network.quality(states, lessons.ends, memory)
        error = (guessed - quality.nan_to_num(0.0)).square().masked_fill(~scored, 0.0)
        told["quality"].append((error.sum(), int(scored.sum())))


class LossParts(Callback):
    """Logs after each epoch ``validation_<loss>_loss`` of what a module's ``step`` returns as ``losses``."""

    def __init__(self, losses: Sequence[str] = LOSSES) -> None:
        self.losses = losses

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        for name in self.losses:
            pl_module.log(f"validation_{name}_loss", outputs["losses"][name], batch_size=len(batch), sync_dist=True)
