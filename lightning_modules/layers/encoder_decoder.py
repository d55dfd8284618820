"""The encoder-decoder transformer."""

from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from lightning_modules.layers.config import EncoderDecoderConfig
from lightning_modules.layers.decoder import TransformerDecoder
from lightning_modules.layers.decoding import CachedDecoding
from lightning_modules.layers.embedding import TokenEmbedding
from lightning_modules.layers.encoder import TransformerEncoder
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.training.network import Network


class EncoderDecoderTransformer(Network):
    """Source and target token ids to logits of the target's next tokens.

    The paper's base model is 512 wide, with 8 heads, 6 + 6 layers and 2,048 in the feed-forward blocks.
    Source: Vaswani et al. 2017, Attention Is All You Need.
    """

    Config: ClassVar[type] = EncoderDecoderConfig
    config: EncoderDecoderConfig

    def __init__(self, config: EncoderDecoderConfig) -> None:
        super().__init__(config)
        width = config.encoder.hidden_size
        self.source_embedding = TokenEmbedding(config.source_vocab_size, width)
        # A shared table has one name only: safetensors does not allow two names for one tensor.
        self.own_embedding = None if config.share_embeddings else TokenEmbedding(config.target_vocab_size, width)
        self.encoder = TransformerEncoder(config.encoder)
        self.decoder = TransformerDecoder(config.decoder, cross_attention=True)
        self.output = None if config.tie_output else LinearLayer(width, config.target_vocab_size)

    @property
    def target_embedding(self) -> TokenEmbedding:
        """The target's embedding table, which can be that of the source."""
        return self.source_embedding if self.own_embedding is None else self.own_embedding

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """source (B, S), target (B, T) with its start token -> logits of the next tokens, (B, T, vocabulary).

        Padding is at the end of a target, where causal attention ignores it.
        """
        memory, present = self.encode(source)
        return self.score(self.decoder(self.target_embedding(target), memory=memory, memory_present=present))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """source (B, S) -> states (B, S, width), and True for tokens, False for padding, (B, S)."""
        present = source != self.config.pad_token
        return self.encoder(self.source_embedding(source), present), present

    def score(self, states: Tensor) -> Tensor:
        """States (..., width) -> logits (..., vocabulary)."""
        return functional.linear(states, self.target_embedding.weight) if self.output is None else self.output(states)

    def begin(self, source: Tensor) -> tuple[CachedDecoding, Tensor]:
        """source (B, S) -> decoding state and start tokens (B, 1), the first arguments of ``generate``."""
        memory, present = self.encode(source)
        decoding = CachedDecoding(
            self.target_embedding, self.decoder, self.score, memory=memory, memory_present=present
        )
        return decoding, source.new_full((len(source), 1), self.config.start_token)
