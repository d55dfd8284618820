"""The network of the writer: an image, its scene graph and a context to content that can be published."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.image.image_tower import normalize_pixels
from lightning_modules.layers.checkpointed import CheckpointedDecoder
from lightning_modules.layers.cross_modal import CrossModalAttention
from lightning_modules.layers.decoder import TransformerDecoder
from lightning_modules.layers.decoding import CachedDecoding
from lightning_modules.layers.embedding import TokenEmbedding
from lightning_modules.layers.encoder import TransformerEncoder
from lightning_modules.layers.hierarchical_fusion import HierarchicalFusion
from lightning_modules.layers.learned import STD
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.training.network import Network
from lightning_modules.training.temperature import clamped_scale, make_log_scale
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.feature_grid import FeatureGrid, FeatureGridEncoder
from lightning_modules.writer.region_pool import region_pool
from lightning_modules.writer.samples import FACTS, WriterInputs
from lightning_modules.writer.scene_graph import SceneGraph

KINDS = ("whole", "cell", "object", "relation", "context", "facts")
"""Kinds of memory tokens; a learned vector is added for each kind."""


class Memory(NamedTuple):
    """The encoded inputs of B listings, to which the decoder attends."""

    tokens: Tensor
    """(B, S, width)."""
    present: Tensor
    """True for tokens, False for padding, (B, S)."""
    fused: Tensor
    """All inputs as one vector, (B, width)."""

    def select(self, rows: Tensor) -> "Memory":
        """The rows of these indices (M,), in this order."""
        return Memory(self.tokens[rows], self.present[rows], self.fused[rows])


class Writer(Network):
    """An image tower, a scene graph and a text tower encode the memory; a decoder writes content field by field.

    Only the image is required. The embedding table is also the output matrix (tied weights), which helps the decoder to
    copy words of objects from the memory.
    """

    Config: ClassVar[type] = WriterConfig
    config: WriterConfig

    def __init__(self, config: WriterConfig) -> None:
        super().__init__(config)
        width, dropout = config.decoder.hidden_size, config.decoder.dropout
        self.image = FeatureGridEncoder(config.image, config.image_size)
        self.embedding = TokenEmbedding(config.vocab_size, width)
        self.text = TransformerEncoder(config.text)
        self.whole = LinearLayer(self.image.width, width)
        self.cell = LinearLayer(self.image.map_width, width)
        self.places = nn.Parameter(torch.empty(self.image.side**2, width))
        self.kinds = nn.Parameter(torch.empty(len(KINDS), width))
        self.facts = LinearLayer(2 * len(FACTS), width)
        self.scene = None if config.scene is None else SceneGraph(config.scene, width, self.image.map_width, dropout)
        cross = config.cross_modal
        self.cross_modal = None if cross is None else CrossModalAttention(width, cross.num_heads, dropout=dropout)
        self.fusion = HierarchicalFusion(
            width,
            early=config.fusion.early,
            mid=config.fusion.mid,
            late=config.fusion.late,
            dropout=config.fusion.dropout,
        )
        self.memory_norm = nn.LayerNorm(width)
        decoder = CheckpointedDecoder if config.gradient_checkpointing else TransformerDecoder
        self.decoder = decoder(config.decoder, cross_attention=True)
        self.wrong_head = LinearLayer(width + 2, 1)
        self.quality_head = LinearLayer(2 * width, 1)
        self.image_projection = LinearLayer(width, config.projection_dim, bias=False)
        self.text_projection = LinearLayer(width, config.projection_dim, bias=False)
        self.log_scale = make_log_scale()
        for table in (self.places, self.kinds):
            nn.init.normal_(table, std=STD)

    def forward(self, inputs: WriterInputs, tokens: Tensor) -> Tensor:
        """Inputs of B listings and the content's tokens (B, T), with the start -> logits (B, T, vocabulary)."""
        return self.score(self.states(self.encode_memory(self.encode_image(inputs.pixels), inputs), tokens))

    def encode_image(self, pixels: Tensor) -> FeatureGrid:
        """Pixels (B, 3, S, S) as uint8 -> image features."""
        grid: FeatureGrid = self.image(normalize_pixels(pixels, self.config.image_mean, self.config.image_std))
        return grid

    def encode_memory(self, grid: FeatureGrid, inputs: WriterInputs) -> Memory:
        """Image features and the other inputs -> the memory."""
        cells = self.cell(grid.cells) + self.places
        image = torch.cat([self._mark("whole", self.whole(grid.pooled)[:, None]), self._mark("cell", cells)], dim=1)
        image_present = image.new_ones(image.shape[:2], dtype=torch.bool)
        others, present = (torch.cat(parts, dim=1) for parts in zip(*self._encode_others(grid, inputs), strict=True))
        if self.cross_modal is not None:
            image, others = self.cross_modal(image, others, image_present, present)
        fused = self.fusion(image[:, 0], masked_mean(others, present), present.any(dim=1))
        tokens = self.memory_norm(torch.cat([image, others, fused[:, None]], dim=1))
        return Memory(tokens, torch.cat([image_present, present, image_present[:, :1]], dim=1), fused)

    def _encode_others(self, grid: FeatureGrid, inputs: WriterInputs) -> list[tuple[Tensor, Tensor]]:
        """Tokens (B, T, width) of each kind other than the image's, and their masks, (B, T)."""
        known = ~inputs.facts.isnan()
        numbers = torch.cat([inputs.facts.nan_to_num(0.0), known.to(inputs.facts.dtype)], dim=1)
        others = [(self._mark("facts", self.facts(numbers)[:, None]), known.any(dim=1, keepdim=True))]
        if inputs.context.shape[1]:
            present = (inputs.context != self.config.pad_token).any(dim=-1)
            others.append((self._mark("context", self.embed_words(inputs.context)), present))
        scene = inputs.scene
        if self.scene is not None and scene.boxes.shape[1]:
            objects, relations = self.scene(
                scene,
                self.embed_words(scene.labels),
                self.embed_words(scene.attributes),
                self.embed_words(scene.predicates),
                region_pool(grid.cells, scene.boxes),
            )
            others.append((self._mark("object", objects), scene.objects_present))
            if relations is not None:
                others.append((self._mark("relation", relations), scene.relations_present))
        return others

    def _mark(self, kind: str, tokens: Tensor) -> Tensor:
        """Tokens plus the vector of their kind."""
        return tokens + self.kinds[KINDS.index(kind)]

    def embed_words(self, tokens: Tensor) -> Tensor:
        """Short texts (..., T) -> the mean of their tokens' vectors, (..., width); zeros where all is padding.

        No class table is used, so labels that are not in the training data can be encoded too.
        """
        return masked_mean(self.embedding(tokens), tokens != self.config.pad_token)

    def states(self, memory: Memory, tokens: Tensor) -> Tensor:
        """The decoder's states at tokens (B, T), with the start and right padding, (B, T, width)."""
        states: Tensor = self.decoder(self.embedding(tokens), memory=memory.tokens, memory_present=memory.present)
        return states

    def begin(self, memory: Memory) -> CachedDecoding:
        """An empty decoding for generation."""
        return CachedDecoding(
            self.embedding, self.decoder, self.score, memory=memory.tokens, memory_present=memory.present
        )

    def score(self, states: Tensor) -> Tensor:
        """States (..., width) -> logits (..., vocabulary)."""
        return functional.linear(states, self.embedding.weight)

    def log_likelihoods(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Log-likelihoods of tokens (B, T) given the states before them, (B, T); 0 for the first token and padding.

        Computed position by position, which saves memory with a large vocabulary.
        """
        columns = [states.new_zeros(len(states), dtype=torch.float32)]
        for position in range(tokens.shape[1] - 1):
            log_probabilities = self.score(states[:, position]).float().log_softmax(dim=-1)
            columns.append(log_probabilities.gather(1, tokens[:, position + 1, None]).squeeze(1))
        return torch.stack(columns, dim=1).masked_fill(tokens == self.config.pad_token, 0.0)

    def error_logits(self, states: Tensor, ends: Tensor, likelihoods: Tensor) -> Tensor:
        """Logits of a wrong attribute in each complete field, (fields,), in the order of ``ends``.

        The features are the decoder's state at the field's end and the minimum and mean of the field's
        log-likelihoods, since a wrong word is unlikely.

        Args:
            states: states of the decoder, (B, T, width).
            ends: True where a field ends, (B, T).
            likelihoods: log-likelihoods of the tokens, 0 for markers, (B, T); no gradient flows into them.
        """
        field = ends.cumsum(dim=1) - ends.long()  # index of each token's field
        inside = field[..., None] == torch.arange(int(field.max()) + 1, device=field.device)  # (B, T, fields)
        by_field = likelihoods.detach()[..., None] * inside  # 0, the maximum, for tokens of other fields
        minimum = by_field.amin(dim=1).gather(1, field)
        mean = (by_field.sum(dim=1) / inside.sum(dim=1).clamp(min=1)).gather(1, field)
        features = torch.cat([states, torch.stack([minimum, mean], dim=-1).to(states.dtype)], dim=-1)
        logits: Tensor = self.wrong_head(features[ends]).squeeze(-1)
        return logits

    def quality(self, states: Tensor, ends: Tensor, memory: Memory) -> Tensor:
        """The predicted mean of the rubric's and the readability's score, in [0, 1], (B,).

        Args:
            states: states of the decoder, (B, T, width).
            ends: True where a field ends, (B, T).
            memory: memory of the same rows.
        """
        features = torch.cat([masked_mean(states, ends), memory.fused], dim=1)
        return self.quality_head(features).squeeze(1).sigmoid()

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Texts (B, T), padded, -> the text tower's states (B, T, width)."""
        states: Tensor = self.text(self.embedding(tokens), tokens != self.config.pad_token)
        return states

    def project(self, memory: Memory, states: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (…, embedding) of the memory and of texts; their dot product is their cosine similarity."""
        text = masked_mean(states, tokens != self.config.pad_token)
        vectors = self.image_projection(memory.fused), self.text_projection(text)
        first, second = (functional.normalize(vector.float(), dim=-1) for vector in vectors)
        return first, second

    def scale(self) -> Tensor:
        """1 / temperature of the contrastive loss, learned, in (0, 100]."""
        return clamped_scale(self.log_scale)


def masked_mean(vectors: Tensor, present: Tensor) -> Tensor:
    """Vectors (..., T, D) -> the mean of those under the mask (..., T), (..., D); zeros where none is."""
    kept = vectors.masked_fill(~present[..., None], 0.0)
    return kept.sum(dim=-2) / present.sum(dim=-1, keepdim=True).clamp(min=1)
