"""A checkpoint of transformers' ``CLIPModel`` (``openai/clip-vit-base-patch32``, …) as our :class:`Clip`."""

from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer
from transformers import AutoTokenizer, CLIPModel

from lightning_modules.clip import Clip
from lightning_modules.clip_config import CLIP_MEAN, CLIP_STD, ClipConfig, TextTower, VitTower


def load(checkpoint: str, image_fit: Literal["crop", "pad"]) -> tuple[Clip, Tokenizer]:
    """The network and its tokenizer, which frames, cuts and pads by itself.

    Args:
        checkpoint: a local folder, or a hub id, which ``id@revision`` pins to a commit, branch or tag.
        image_fit: how the pictures that it will see were made square.

    Raises:
        OSError: the checkpoint is not there (or the hub cannot be reached).
    """
    name, revision = (checkpoint, None) if Path(checkpoint).is_dir() else _parse(checkpoint)
    hub = CLIPModel.from_pretrained(name, revision=revision or "main")
    words = AutoTokenizer.from_pretrained(name, revision=revision or "main", use_fast=True)
    network = Clip(_config(hub.config, words.pad_token_id, words.eos_token_id, image_fit))
    network.image.model.load_state_dict(hub.vision_model.state_dict())
    network.text.model.load_state_dict(hub.text_model.state_dict())
    network.image_projection.load_state_dict(hub.visual_projection.state_dict())
    network.text_projection.load_state_dict(hub.text_projection.state_dict())
    network.log_scale.data.copy_(hub.logit_scale.data)
    tokenizer = words.backend_tokenizer
    tokenizer.enable_truncation(network.config.text.context)
    tokenizer.enable_padding(pad_id=words.pad_token_id, pad_token=words.pad_token)
    return network, tokenizer


def _parse(checkpoint: str) -> tuple[str, str | None]:
    name, _, revision = checkpoint.partition("@")
    return name, revision or None


def _config(hub: Any, pad_token: int, end_token: int, image_fit: Literal["crop", "pad"]) -> ClipConfig:
    vision, text = hub.vision_config, hub.text_config
    return ClipConfig(
        image=VitTower(
            kind="vit",
            patch_size=vision.patch_size,
            width=vision.hidden_size,
            layers=vision.num_hidden_layers,
            heads=vision.num_attention_heads,
            feed_forward=vision.intermediate_size,
            activation=vision.hidden_act,
        ),
        text=TextTower(
            context=text.max_position_embeddings,
            width=text.hidden_size,
            layers=text.num_hidden_layers,
            heads=text.num_attention_heads,
            feed_forward=text.intermediate_size,
            activation=text.hidden_act,
        ),
        embedding=hub.projection_dim,
        image_size=vision.image_size,
        image_fit=image_fit,
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        vocabulary=text.vocab_size,
        pad_token=pad_token,
        end_token=end_token,
    )
