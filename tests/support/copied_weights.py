"""PyTorch's and our layers with equal weights, for tests that compare them."""

import torch
from torch import nn

from lightning_modules.layers.decoder import TransformerDecoderLayer
from lightning_modules.layers.encoder import TransformerEncoderLayer
from lightning_modules.layers.grouped_query import GroupedQueryAttention
from lightning_modules.layers.sublayer import Sublayer


@torch.no_grad()
def shake(module: nn.Module) -> None:
    """Random values in every parameter, so that no bias of 0 and no norm of 1 hides a mistake."""
    generator = torch.Generator().manual_seed(9)
    for parameter in module.parameters():
        parameter.normal_(std=0.4, generator=generator)


@torch.no_grad()
def copy_attention(theirs: nn.MultiheadAttention, ours: GroupedQueryAttention) -> None:
    assert theirs.in_proj_weight is not None
    ours.query.weight.data, ours.key.weight.data, ours.value.weight.data = theirs.in_proj_weight.data.chunk(3)
    ours.query.bias.data, ours.key.bias.data, ours.value.bias.data = theirs.in_proj_bias.data.chunk(3)
    ours.output.load_state_dict(theirs.out_proj.state_dict())


def copy_encoder_layer(theirs: nn.TransformerEncoderLayer, ours: TransformerEncoderLayer) -> None:
    copy_attention(theirs.self_attn, ours.attention.attention)
    _copy_norm(theirs.norm1, ours.attention.around)
    ours.feed_forward.hidden.load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward.output.load_state_dict(theirs.linear2.state_dict())
    _copy_norm(theirs.norm2, ours.feed_forward.around)


def copy_decoder_layer(theirs: nn.TransformerDecoderLayer, ours: TransformerDecoderLayer) -> None:
    assert ours.cross_attention is not None
    copy_attention(theirs.self_attn, ours.attention.attention)
    _copy_norm(theirs.norm1, ours.attention.around)
    copy_attention(theirs.multihead_attn, ours.cross_attention.attention)
    _copy_norm(theirs.norm2, ours.cross_attention.around)
    ours.feed_forward.hidden.load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward.output.load_state_dict(theirs.linear2.state_dict())
    _copy_norm(theirs.norm3, ours.feed_forward.around)


def _copy_norm(theirs: nn.LayerNorm, ours: Sublayer) -> None:
    assert ours.norm is not None
    ours.norm.load_state_dict(theirs.state_dict())
