"""Encode objects and their relations as tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lightning_modules.layers.edge_convolution import EdgeConvolution
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.writer.config import SceneShape

BOX_FEATURES = 7
"""Numbers that describe a box: its corners, width, height and area."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class Scene:
    """The objects and relations of a batch of B images, padded to N objects and R relations; both may be 0."""

    labels: Tensor
    """Tokens of the objects' labels, padded, int64 (B, N, L)."""
    attributes: Tensor
    """Tokens of the objects' attributes, padded, int64 (B, N, A)."""
    boxes: Tensor
    """x0, y0, x1, y1 as shares of the square image's side, (B, N, 4)."""
    objects_present: Tensor
    """True where there is an object, (B, N)."""
    predicates: Tensor
    """Tokens of the relations' predicates, padded, int64 (B, R, P)."""
    ends: Tensor
    """Indices of subject and object among the N, int64 (B, R, 2)."""
    relations_present: Tensor
    """True where there is a relation, (B, R)."""

    def append_empty_copy(self) -> "Scene":
        """The same B images, followed by the same images without objects and relations: 2 B rows."""
        parts = {name: torch.cat([part, part]) for name, part in vars(self).items()}
        for name in ("objects_present", "relations_present"):
            parts[name][len(self.boxes) :] = False
        return Scene(**parts)


class SceneGraph(nn.Module):
    """Tokens of objects and, optionally, of relations.

    An object's first state is made of its label, its attributes, its box and the image features in the box. Graph
    convolutions then pass messages along the relations in both directions, which a learned vector distinguishes. The
    label's and attributes' vectors are also added to the token (a residual connection), so that the decoder can copy
    them.

    Args:
        shape: sizes and number of layers.
        words: dimensions of the words' vectors and of the tokens.
        cells: dimensions of the image features.
        dropout: dropout of each convolution's output.
    """

    def __init__(self, shape: SceneShape, words: int, cells: int, dropout: float) -> None:
        super().__init__()
        self.node = LinearLayer(2 * words + BOX_FEATURES + cells, shape.node_dim)
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
        """Tokens of the objects (B, N, words) and of the relations (B, R, words); None without relation tokens.

        Args:
            scene: boxes, relations and masks.
            labels, attributes: vectors of the objects' words, (B, N, words).
            predicates: vectors of the relations' words, (B, R, words).
            regions: image features in the boxes, (B, N, cells).
        """
        states = self.node(torch.cat([labels, attributes, box_features(scene.boxes), regions], dim=-1))  # (B, N, nodes)
        flat = self._convolve(states.flatten(0, 1), *self._edges(scene, predicates))  # (B * N, nodes)
        objects = self.object_token(flat).view_as(labels) + labels + attributes
        if self.relation_token is None:
            return objects, None
        subject, target = _flat_indices(scene.ends, states.shape[1]).unbind(dim=-1)  # (B, R) each
        if not len(flat):  # no objects, so no relations
            return objects, predicates
        both = torch.cat([flat[subject], flat[target]], dim=-1)  # (B, R, 2 * nodes)
        subject_words = (labels + attributes).flatten(0, 1)[subject]
        return objects, self.relation_token(both) + predicates + subject_words

    def _convolve(self, flat: Tensor, edges: Tensor, features: Tensor) -> Tensor:
        """Objects' states after all convolutions, (B * N, nodes)."""
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            flat = flat + self.dropout(torch.relu(convolution(norm(flat), edges, features)))
        return flat

    def _edges(self, scene: Scene, predicates: Tensor) -> tuple[Tensor, Tensor]:
        """Both directions of the E relations, (2, 2 E), and their features, (2 E, edges)."""
        present = scene.relations_present
        if self.edge is None or self.direction is None:  # no convolutions, so no edges are needed
            return scene.ends.new_zeros(2, 0), predicates.new_zeros(0, predicates.shape[-1])
        forward = _flat_indices(scene.ends, scene.boxes.shape[1])[present].T  # (2, E): from subject to object
        features = self.edge(predicates[present])  # (E, edges)
        directions = self.direction.weight
        edges = torch.cat([forward, forward.flip(0)], dim=1)
        return edges, torch.cat([features + directions[0], features + directions[1]])


def box_features(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) -> corners, width, height and area, (..., ``BOX_FEATURES``)."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return torch.cat([boxes, sides, sides.prod(dim=-1, keepdim=True)], dim=-1)


def _flat_indices(ends: Tensor, objects: int) -> Tensor:
    """Indices within an image (B, R, 2) -> indices among the objects of all images."""
    return ends + objects * torch.arange(len(ends), device=ends.device)[:, None, None]
