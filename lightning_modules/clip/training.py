"""Training of CLIP."""

from torch import Tensor

from lightning_modules.clip.clip import Clip
from lightning_modules.training.losses import contrastive_loss
from lightning_modules.training.shards import ImageTextBatch
from lightning_modules.training.training_module import TrainingModule


class ClipModule(TrainingModule):
    """Trains a :class:`Clip` on pairs of an image and a text by the symmetric contrastive loss."""

    network: Clip

    def step(self, batch: ImageTextBatch) -> dict[str, Tensor]:
        image = self.network.encode_image(batch.pixels)
        text = self.network.encode_text(batch.tokens)
        return {"loss": contrastive_loss(image, text, self.network.scale()), "image": image, "text": text}
