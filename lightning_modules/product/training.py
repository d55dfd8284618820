"""Training of the product classifier."""

from typing import Any

import torch

from lightning_modules.product.config import LABEL
from lightning_modules.product.product import Product
from lightning_modules.product.samples import ProductBatch
from lightning_modules.training.labels import masked_label_loss
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule


class ProductModule(TrainingModule):
    """Trains a :class:`Product` on labelled listings, each with all of its modalities and once with fewer.

    Args:
        network: to train.
        optimizer: settings of the optimiser.
        smoothing: label smoothing, see :func:`lightning_modules.training.labels.masked_label_loss`.
    """

    network: Product

    def __init__(self, network: Product, optimizer: OptimizerSettings, smoothing: float) -> None:
        super().__init__(network, optimizer)
        self.smoothing = smoothing

    def step(self, batch: ProductBatch) -> dict[str, Any]:
        # The views differ only in the modalities that are present, so the encoders run once for all views. The batch
        # norms of the fusion get all views as one batch: their statistics cover complete and incomplete listings.
        encoded = self.network.encode(batch.inputs)
        features = {name: values.repeat(len(batch.views), 1) for name, values in encoded.items()}
        present = {name: torch.cat([view[name] for view in batch.views]) for name in features}
        logits, labels = self.network.classify(features, present), batch.labels.repeat(len(batch.views))
        loss = masked_label_loss(logits, labels, self.smoothing)
        return {"loss": loss, "logits": {LABEL: logits}, "labels": {LABEL: labels}}
