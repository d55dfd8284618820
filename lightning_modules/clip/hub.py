"""Load a checkpoint of transformers' ``CLIPModel``, such as ``openai/clip-vit-base-patch32``, as a :class:`Clip`."""

from collections.abc import Mapping
from typing import Any, Literal

from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoTokenizer, CLIPModel

from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig, TextTower
from lightning_modules.image.checkpoint import tower_from_config
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD
from lightning_modules.training.hub import parse_hub_id

TEXT_NAMES = (
    ("embeddings.token_embedding.", "embedding."),
    ("embeddings.position_embedding.", "decoder.positions.scheme.table."),
    ("encoder.layers.", "decoder.layers."),
    (".self_attn.q_proj.", ".attention.attention.query."),
    (".self_attn.k_proj.", ".attention.attention.key."),
    (".self_attn.v_proj.", ".attention.attention.value."),
    (".self_attn.out_proj.", ".attention.attention.output."),
    (".layer_norm1.", ".attention.around.norm."),
    (".mlp.fc1.", ".feed_forward.hidden."),
    (".mlp.fc2.", ".feed_forward.output."),
    (".layer_norm2.", ".feed_forward.around.norm."),
    ("final_layer_norm.", "decoder.norm."),
)
"""Parts of weight names in transformers' ``CLIPTextModel`` and in :class:`TextEncoder`."""


def load_clip(checkpoint: str, resize_mode: Literal["crop", "pad"]) -> tuple[Clip, Tokenizer]:
    """Load the network and its tokenizer, which adds special tokens, truncates and pads.

    Args:
        checkpoint: a local folder, or a hub id, which ``id@revision`` pins to a commit, branch or tag.
        resize_mode: how images are made square.

    Raises:
        OSError: the checkpoint does not exist, or the hub cannot be reached.
        ValueError: its activation is not supported.
    """
    name, revision = parse_hub_id(checkpoint)
    hub = CLIPModel.from_pretrained(name, revision=revision)
    words = AutoTokenizer.from_pretrained(name, revision=revision, use_fast=True)
    network = Clip(_config(hub.config, words.pad_token_id, words.eos_token_id, resize_mode))
    network.image.model.load_state_dict(hub.vision_model.state_dict())
    network.text.load_state_dict(rename_text_weights(hub.text_model.state_dict()))
    network.image_projection.load_state_dict(hub.visual_projection.state_dict())
    network.text_projection.load_state_dict(hub.text_projection.state_dict())
    network.log_scale.data.copy_(hub.logit_scale.data)
    tokenizer = words.backend_tokenizer
    tokenizer.enable_truncation(network.config.text.context_length)
    tokenizer.enable_padding(pad_id=words.pad_token_id, pad_token=words.pad_token)
    return network, tokenizer


def rename_text_weights(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of a ``CLIPTextModel`` to the names of :class:`TextEncoder`."""
    return {_text_name(name): tensor for name, tensor in theirs.items()}


def _text_name(name: str) -> str:
    for theirs, ours in TEXT_NAMES:
        name = name.replace(theirs, ours)
    return name


def _config(hub: Any, pad_token: int, end_token: int, resize_mode: Literal["crop", "pad"]) -> ClipConfig:
    vision, text = hub.vision_config, hub.text_config
    return ClipConfig(
        image=tower_from_config(vision),
        text=TextTower(
            context_length=text.max_position_embeddings,
            hidden_size=text.hidden_size,
            num_layers=text.num_hidden_layers,
            num_heads=text.num_attention_heads,
            intermediate_size=text.intermediate_size,
            activation=text.hidden_act,
        ),
        projection_dim=hub.projection_dim,
        image_size=vision.image_size,
        resize_mode=resize_mode,
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        vocab_size=text.vocab_size,
        pad_token=pad_token,
        end_token=end_token,
    )
