"""The training module of the writer: five losses of one batch."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.nn import functional

from lightning_modules.training.losses import contrastive_loss
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule
from lightning_modules.writer.feature_grid import FeatureGrid
from lightning_modules.writer.sampling import TrainingExamples, WriterBatch
from lightning_modules.writer.settings import LossWeights
from lightning_modules.writer.writer import Memory, Writer

LOSSES = tuple(LossWeights.model_fields)

LossSums = dict[str, list[tuple[Tensor, int]]]
"""Name of a loss to partial sums, each with the number of its terms."""


class WriterModule(TrainingModule):
    """Trains a :class:`Writer` on generation, image-text contrast, masked words, quality and error detection.

    The image tower runs once for both views of a listing.

    Args:
        network: the network.
        optimizer: settings of the optimiser.
        weights: weight of each loss in the sum.
    """

    network: Writer

    def __init__(self, network: Writer, optimizer: OptimizerSettings, weights: LossWeights) -> None:
        super().__init__(network, optimizer)
        self.weights = weights.model_dump()

    def step(self, batch: WriterBatch) -> dict[str, Any]:
        grid = FeatureGrid(*(torch.cat([part, part]) for part in self.network.encode_image(batch.inputs.pixels)))
        memory = self.network.encode_memory(grid, batch.inputs)  # 2 B rows
        text_states = self.network.encode_text(batch.hidden)
        sums: LossSums = {name: [] for name in LOSSES}
        predicted = self.network.score(text_states[batch.masked]).float()
        masked = functional.cross_entropy(predicted, batch.text[batch.masked], reduction="sum")
        sums["masked"].append((masked, len(predicted)))
        images, texts = self.network.project(memory, text_states, batch.text)
        for view in images.chunk(2):
            loss = contrastive_loss(view, texts, self.network.scale())
            sums["contrastive"].append((len(batch) * loss, len(batch)))
        for examples in batch.examples:
            quality = batch.quality[examples.rows % len(batch)]
            self._add_losses(examples, memory.select(examples.rows), quality, sums)
        losses = {
            name: torch.stack([loss for loss, _ in parts]).sum() / max(1, sum(count for _, count in parts))
            for name, parts in sums.items()
        }
        total = torch.stack([self.weights[name] * loss for name, loss in losses.items()]).sum()
        return {"loss": total, "losses": {name: loss.detach() for name, loss in losses.items()}}

    def _add_losses(self, examples: TrainingExamples, memory: Memory, quality: Tensor, sums: LossSums) -> None:
        """Add the sums of the losses over the examples of one bucket, with the numbers of their terms."""
        states = self.network.states(memory, examples.tokens)
        targets, intact = examples.is_target, ~examples.has_error.any(dim=1)
        logits = self.network.score(states[:, :-1][targets[:, 1:]]).float()  # at the targets only
        entropies = functional.cross_entropy(logits, examples.tokens[targets], reduction="none")
        counted = intact[:, None].expand_as(targets)[targets]
        sums["generation"].append((entropies.masked_fill(~counted, 0.0).sum(), int(counted.sum())))
        likelihoods = torch.zeros_like(targets, dtype=torch.float32).masked_scatter(targets, -entropies.detach())
        detected = self.network.error_logits(states, examples.ends, likelihoods)
        errors = examples.has_error[examples.ends].to(detected.dtype)
        detection = functional.binary_cross_entropy_with_logits(detected, errors, reduction="sum")
        sums["error_detection"].append((detection, len(errors)))
        scored = ~quality.isnan() & intact
        predicted = self.network.quality(states, examples.ends, memory)
        squared_error = (predicted - quality.nan_to_num(0.0)).square().masked_fill(~scored, 0.0)
        sums["quality"].append((squared_error.sum(), int(scored.sum())))


class LossParts(Callback):
    """Logs ``validation_<loss>_loss`` of each of the ``losses`` that a module's ``step`` returns."""

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
