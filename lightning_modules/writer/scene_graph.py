"""Objects and how they stand to each other, as tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lightning_modules.layers.edge_convolution import EdgeConvolution
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.writer.config import SceneShape

PLACE = 7
"""Numbers that say where a box lies: its corners, its width, height and area."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class Scene:
    """The objects and relations of a batch of images, filled up to the same numbers of each; both may be 0."""

    labels: Tensor
    """Tokens of what the objects are, padded, int64 (B, N, L)."""
    attributes: Tensor
    """Tokens of all that is said of them, padded, int64 (B, N, A)."""
    boxes: Tensor
    """x0, y0, x1, y1 as shares of the square image's side, (B, N, 4)."""
    objects_present: Tensor
    """True where there is an object, (B, N)."""
    predicates: Tensor
    """Tokens of how the subjects stand to the objects, padded, int64 (B, R, P)."""
    ends: Tensor
    """Places of subject and object among the N, int64 (B, R, 2)."""
    relations_present: Tensor
    """True where there is a relation, (B, R)."""

    def with_emptied(self) -> "Scene":
        """The same images, and behind them once more, with nothing known to stand in them: 2 B rows."""
        parts = {name: torch.cat([part, part]) for name, part in vars(self).items()}
        for name in ("objects_present", "relations_present"):
            parts[name][len(self.boxes) :] = False
        return Scene(**parts)


class SceneGraph(nn.Module):
    """Tokens of objects, and of relations if asked for, each of which says what it is and how it stands to others.

    An object's state begins with its words, its box and what the image shows there; then graph convolutions carry the
    relations along their edges, in both directions, which a learned vector tells apart. The words also go past the
    graph, so that the decoder can copy them.

    Args:
        shape: widths and layers.
        words: width of the words' vectors and of the tokens.
        cells: width of what the image shows.
        dropout: of what each convolution adds.
    """

    def __init__(self, shape: SceneShape, words: int, cells: int, dropout: float) -> None:
        super().__init__()
        self.node = LinearLayer(2 * words + PLACE + cells, shape.node_dim)
        self.edge = LinearLayer(words, shape.edge_dim) if shape.num_layers else None
        self.direction = nn.Embedding(2, shape.edge_dim) if shape.num_layers else None
        self.norms = nn.ModuleList(nn.LayerNorm(shape.node_dim) for _ in range(shape.num_layers))
        self.convolutions = nn.ModuleList(
            EdgeConvolution(shape.node_dim, shape.edge_dim) for _ in range(shape.num_layers)
        )
        self.dropout = nn.Dropout(dropout)
        self.object_token = LinearLayer(shape.node_dim, words)
        self.relation_token = LinearLayer(2 * shape.node_dim, words) if shape.relation_tokens else None

    def forward(
        self, scene: Scene, labels: Tensor, attributes: Tensor, predicates: Tensor, regions: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Tokens of the objects (B, N, words) and of the relations (B, R, words), or None.

        Args:
            scene: boxes, relations and which there are.
            labels, attributes: words' vectors of the objects, (B, N, words).
            predicates: of the relations, (B, R, words).
            regions: what the image shows in the boxes, (B, N, cells).
        """
        states = self.node(torch.cat([labels, attributes, places(scene.boxes), regions], dim=-1))  # (B, N, nodes)
        flat = self._told(states.flatten(0, 1), *self._edges(scene, predicates))  # (B * N, nodes)
        objects = self.object_token(flat).view_as(labels) + labels + attributes
        if self.relation_token is None:
            return objects, None
        subject, target = _flat(scene.ends, states.shape[1]).unbind(dim=-1)  # (B, R) each
        if not len(flat):  # then there are no relations either
            return objects, predicates
        both = torch.cat([flat[subject], flat[target]], dim=-1)  # (B, R, 2 * nodes)
        spoken = (labels + attributes).flatten(0, 1)[subject]
        return objects, self.relation_token(both) + predicates + spoken

    def _told(self, flat: Tensor, edges: Tensor, features: Tensor) -> Tensor:
        """Objects' states (B * N, nodes) after all convolutions."""
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            flat = flat + self.dropout(torch.relu(convolution(norm(flat), edges, features)))
        return flat

    def _edges(self, scene: Scene, predicates: Tensor) -> tuple[Tensor, Tensor]:
        """Both directions of all relations that there are, (2, 2 E), and their features, (2 E, edges)."""
        there = scene.relations_present
        if self.edge is None or self.direction is None:  # nobody hears of them
            return scene.ends.new_zeros(2, 0), predicates.new_zeros(0, predicates.shape[-1])
        forth = _flat(scene.ends, scene.boxes.shape[1])[there].T  # (2, E): from subject to object
        features = self.edge(predicates[there])  # (E, edges)
        ways = self.direction.weight
        return torch.cat([forth, forth.flip(0)], dim=1), torch.cat([features + ways[0], features + ways[1]])


def places(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) -> the numbers that say where they lie, (..., ``PLACE``)."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return torch.cat([boxes, sides, sides.prod(dim=-1, keepdim=True)], dim=-1)


def _flat(ends: Tensor, objects: int) -> Tensor:
    """Places in an image (B, R, 2) -> places among the objects of all images."""
    return ends + objects * torch.arange(len(ends), device=ends.device)[:, None, None]
