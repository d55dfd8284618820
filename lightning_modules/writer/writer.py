"""The writer: an image, what stands in it and what is wished for, to content that can be published."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.image.image_tower import normalised
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
from lightning_modules.training.temperature import bounded_scale, initial_log_scale
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.feature_grid import ImageMap, Seen
from lightning_modules.writer.region_pool import region_pool
from lightning_modules.writer.samples import FACTS, WriterInputs
from lightning_modules.writer.scene_graph import SceneGraph

KINDS = ("whole", "cell", "object", "relation", "context", "facts")
"""Of memory tokens; a learned vector tells them apart."""


class Memory(NamedTuple):
    """What is known of images and looked at while content is written."""

    tokens: Tensor
    """(B, S, width)."""
    present: Tensor
    """True where there is a token, (B, S); what stands at the others means nothing."""
    fused: Tensor
    """All of it as one vector, (B, width)."""

    def select(self, rows: Tensor) -> "Memory":
        """These rows (M,) in this order."""
        return Memory(self.tokens[rows], self.present[rows], self.fused[rows])


class Writer(Network):
    """An image tower, a scene graph and a text tower make a memory; a decoder that looks at it writes, field by field.

    Of the inputs only the image must be there. The words' table is also the matrix that scores the next token, so
    that what the memory says of an object can be copied.
    """

    Config: ClassVar[type] = WriterConfig
    config: WriterConfig

    def __init__(self, config: WriterConfig) -> None:
        super().__init__(config)
        width, dropout = config.decoder.hidden_size, config.decoder.dropout
        self.image = ImageMap(config.image, config.image_size)
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
        self.log_scale = initial_log_scale()
        for table in (self.places, self.kinds):
            nn.init.normal_(table, std=STD)

    def forward(self, inputs: WriterInputs, tokens: Tensor) -> Tensor:
        """Inputs of B listings and the content's tokens (B, T) from the start on -> logits (B, T, vocabulary)."""
        return self.score(self.states(self.remember(self.see(inputs.pixels), inputs), tokens))

    def see(self, pixels: Tensor) -> Seen:
        """Pixels (B, 3, S, S) as uint8 -> what the tower sees in them."""
        seen: Seen = self.image(normalised(pixels, self.config.image_mean, self.config.image_std))
        return seen

    def remember(self, seen: Seen, inputs: WriterInputs) -> Memory:
        """What is seen, and everything else that is known, -> the memory."""
        cells = self.cell(seen.cells) + self.places
        image = torch.cat([self._of("whole", self.whole(seen.whole)[:, None]), self._of("cell", cells)], dim=1)
        image_present = image.new_ones(image.shape[:2], dtype=torch.bool)
        others, present = (torch.cat(parts, dim=1) for parts in zip(*self._others(seen, inputs), strict=True))
        if self.cross_modal is not None:
            image, others = self.cross_modal(image, others, image_present, present)
        fused = self.fusion(image[:, 0], masked_mean(others, present), present.any(dim=1))
        tokens = self.memory_norm(torch.cat([image, others, fused[:, None]], dim=1))
        return Memory(tokens, torch.cat([image_present, present, image_present[:, :1]], dim=1), fused)

    def _others(self, seen: Seen, inputs: WriterInputs) -> list[tuple[Tensor, Tensor]]:
        """Tokens (B, T, width) of each kind but the image's, and which of them there are, (B, T)."""
        known = ~inputs.facts.isnan()
        numbers = torch.cat([inputs.facts.nan_to_num(0.0), known.to(inputs.facts.dtype)], dim=1)
        others = [(self._of("facts", self.facts(numbers)[:, None]), known.any(dim=1, keepdim=True))]
        if inputs.context.shape[1]:
            there = (inputs.context != self.config.pad_token).any(dim=-1)
            others.append((self._of("context", self.words(inputs.context)), there))
        scene = inputs.scene
        if self.scene is not None and scene.boxes.shape[1]:
            objects, relations = self.scene(
                scene,
                self.words(scene.labels),
                self.words(scene.attributes),
                self.words(scene.predicates),
                region_pool(seen.cells, scene.boxes),
            )
            others.append((self._of("object", objects), scene.objects_present))
            if relations is not None:
                others.append((self._of("relation", relations), scene.relations_present))
        return others

    def _of(self, kind: str, tokens: Tensor) -> Tensor:
        return tokens + self.kinds[KINDS.index(kind)]

    def words(self, tokens: Tensor) -> Tensor:
        """Short texts (..., T) as the means of their tokens' vectors, (..., width); zeros where all is padding.

        There is no table of classes, so a label that no training image had can be read as well.
        """
        return masked_mean(self.embedding(tokens), tokens != self.config.pad_token)

    def states(self, memory: Memory, tokens: Tensor) -> Tensor:
        """The decoder's states at tokens (B, T) from the start on, (B, T, width); padding stands behind."""
        states: Tensor = self.decoder(self.embedding(tokens), memory=memory.tokens, memory_present=memory.present)
        return states

    def begin(self, memory: Memory) -> CachedDecoding:
        """Content under way, as generation takes it."""
        return CachedDecoding(
            self.embedding, self.decoder, self.score, memory=memory.tokens, memory_present=memory.present
        )

    def score(self, states: Tensor) -> Tensor:
        """States (..., width) -> logits (..., vocabulary)."""
        return functional.linear(states, self.embedding.weight)

    def likelihoods(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Log-likelihoods of tokens (B, T) given the states before them, (B, T); 0 of the first and of padding.

        Place by place, since a vocabulary is large.
        """
        places = [states.new_zeros(len(states), dtype=torch.float32)]
        for place in range(tokens.shape[1] - 1):
            chances = self.score(states[:, place]).float().log_softmax(dim=-1)
            places.append(chances.gather(1, tokens[:, place + 1, None]).squeeze(1))
        return torch.stack(places, dim=1).masked_fill(tokens == self.config.pad_token, 0.0)

    def wrong(self, states: Tensor, ends: Tensor, likelihoods: Tensor) -> Tensor:
        """Logits of an attribute being wrong in the fields that end, (fields,), in the order of ``ends``.

        A word that does not fit is unlikely, so beside its state a field's least and mean log-likelihood speak.

        Args:
            states: of the decoder, (B, T, width).
            ends: True where a field ends, (B, T).
            likelihoods: log-likelihoods of the tokens, 0 of markers, (B, T); no gradient flows into them.
        """
        told = likelihoods.detach()
        field = ends.cumsum(dim=1) - ends.long()  # of each token, counted from 0
        own = field[..., None] == torch.arange(int(field.max()) + 1, device=field.device)  # (B, T, fields)
        known = told[..., None] * own  # 0, the greatest there is, of other fields' tokens
        least = known.amin(dim=1).gather(1, field)
        mean = (known.sum(dim=1) / own.sum(dim=1).clamp(min=1)).gather(1, field)
        features = torch.cat([states, torch.stack([least, mean], dim=-1).to(states.dtype)], dim=-1)
        logits: Tensor = self.wrong_head(features[ends]).squeeze(-1)
        return logits

    def quality(self, states: Tensor, ends: Tensor, memory: Memory) -> Tensor:
        """The scores in [0, 1] that rubric and readability would give, (B,).

        Args:
            states: of the decoder, (B, T, width).
            ends: True where a field ends, (B, T).
            memory: of the same rows.
        """
        written = torch.cat([masked_mean(states, ends), memory.fused], dim=1)
        return self.quality_head(written).squeeze(1).sigmoid()

    def read(self, tokens: Tensor) -> Tensor:
        """Texts (B, T), padded, -> the text tower's states (B, T, width)."""
        states: Tensor = self.text(self.embedding(tokens), tokens != self.config.pad_token)
        return states

    def compare(self, memory: Memory, states: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (…, embedding) of what is known and of texts; their dot product is their likeness."""
        text = masked_mean(states, tokens != self.config.pad_token)
        vectors = self.image_projection(memory.fused), self.text_projection(text)
        first, second = (functional.normalize(vector.float(), dim=-1) for vector in vectors)
        return first, second

    def scale(self) -> Tensor:
        """1 / temperature of the comparison, learned, in (0, 100]."""
        return bounded_scale(self.log_scale)


def masked_mean(vectors: Tensor, present: Tensor) -> Tensor:
    """Vectors (..., T, D) -> the mean of those that are present (..., T), (..., D); zeros where none is."""
    kept = vectors.masked_fill(~present[..., None], 0.0)
    return kept.sum(dim=-2) / present.sum(dim=-1, keepdim=True).clamp(min=1)
