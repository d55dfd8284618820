"""The stage graph as ``dvc.yaml`` states it, and a drawing of it in layers, left to right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from markupsafe import Markup

from assets.report.charts.svg import drawing, element, short, text
from heddle.core.parameters.section import PARAMS_FILE, read_yaml

BOX, ROW, GAP = 142.0, 58.0, 30.0  # width of a stage, distance of rows, gap between layers, in CSS pixels
BOX_HEIGHT = 40.0


@dataclass(frozen=True)
class GraphStage:
    """One stage of ``dvc.yaml``.

    Attributes:
        name: its name.
        description: its `desc`, maybe empty.
        group: `meta.dagster.group`, maybe empty.
        reads: the stages whose outputs it depends on, in the order of the file.
        writes: its outputs.
        parameters: file to the sections of it that the stage declares, with `${scale}` as dvc.yaml states it.
    """

    name: str
    description: str
    group: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    parameters: Mapping[str, tuple[str, ...]]


def read_graph(file: Path) -> list[GraphStage]:
    """The stages in the order of the file; a dependency that no stage writes is code or a source, and is left out."""
    stages: Mapping[str, Any] = read_yaml(file).get("stages") or {}
    outputs = {
        name: [*map(_path, stage.get("outs") or []), *map(_path, stage.get("metrics") or [])]
        for name, stage in stages.items()
    }
    writer = {path: name for name, paths in outputs.items() for path in paths}
    return [
        GraphStage(
            name,
            str(stage.get("desc") or "").strip(),
            str(((stage.get("meta") or {}).get("dagster") or {}).get("group") or ""),
            tuple(dict.fromkeys(found for dep in stage.get("deps") or [] if (found := _writer(_path(dep), writer)))),
            tuple(outputs[name]),
            _parameters(stage.get("params") or []),
        )
        for name, stage in stages.items()
    ]


def draw(stages: Sequence[GraphStage]) -> Markup:
    """Stages in layers: each stands right of all it reads; arrows that others imply are left out."""
    layout = Layout(stages)
    groups = list(dict.fromkeys(stage.group for stage in stages))
    arrows = [layout.arrow(*edge) for edge in layout.edges]
    boxes = [layout.box(stage, groups.index(stage.group)) for stage in stages]
    label = "The stages and what they read: " + "; ".join(
        f"{stage.name} from {', '.join(stage.reads)}" for stage in stages if stage.reads
    )
    return drawing(layout.width, layout.height, label, *arrows, *boxes, class_="chart lineage")


@dataclass
class Layout:
    """Where each stage stands. Layer = longest path from a root; inside a layer, by the mean row of what is read."""

    stages: Sequence[GraphStage]
    place: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reads = {stage.name: stage.reads for stage in self.stages}
        edges = [(source, stage.name) for stage in self.stages for source in stage.reads]
        self.edges = [edge for edge in edges if not self._implied(*edge)]
        layers: dict[int, list[str]] = {}
        for stage in self.stages:
            layers.setdefault(self._layer(stage.name), []).append(stage.name)
        rows = max(map(len, layers.values()), default=1)
        self.width = len(layers) * BOX + (len(layers) - 1) * GAP + 4
        self.height = rows * ROW + 8
        for layer, names in sorted(layers.items()):
            names.sort(key=lambda name: (self._mean_row(name), name))
            first = (self.height - (len(names) - 1) * ROW) / 2
            for row, name in enumerate(names):
                self.place[name] = (2 + layer * (BOX + GAP), first + row * ROW)

    def arrow(self, source: str, target: str) -> Markup:
        """A curve from the right side of one box to the left side of another."""
        (x0, y0), (x1, y1) = self.place[source], self.place[target]
        start, end = x0 + BOX, x1 - 5
        bend = max(GAP * 0.6, (end - start) * 0.35)
        curve = f"M{short(start)} {short(y0)}C{short(start + bend)} {short(y0)} {short(end - bend)} {short(y1)} "
        head = f"{short(x1)},{short(y1)} {short(end - 1)},{short(y1 - 3.5)} {short(end - 1)},{short(y1 + 3.5)}"
        line = element("path", d=f"{curve}{short(end)} {short(y1)}", class_="edge")
        return line + element("polygon", points=head, class_="edge head")

    def box(self, stage: GraphStage, colour: int) -> Markup:
        """A stage: its name, and the group that it belongs to below."""
        x, y = self.place[stage.name]
        middle, top = x + BOX / 2, y - BOX_HEIGHT / 2
        shape = element("rect", x=x, y=top, width=BOX, height=BOX_HEIGHT, rx=6, class_="stage")
        stripe = element("rect", x=x, y=top + 8, width=3, height=BOX_HEIGHT - 16, class_=f"stripe c{colour % 5}")
        name = text(stage.name, middle, y - 1 if stage.group else y + 4, class_="stage-name")
        group = text(stage.group, middle, y + 13, class_="tick") if stage.group else Markup("")
        return element("g", element("title", stage.description or stage.name) + shape + stripe + name + group)

    def _layer(self, name: str) -> int:
        return 1 + max((self._layer(source) for source in self.reads[name]), default=-1)

    def _implied(self, source: str, target: str) -> bool:
        others = [name for name in self.reads[target] if name != source]
        return any(self._reaches(source, other) for other in others)

    def _reaches(self, source: str, target: str) -> bool:
        return source in self.reads[target] or any(self._reaches(source, name) for name in self.reads[target])

    def _mean_row(self, name: str) -> float:
        rows = [self.place[source][1] for source in self.reads[name] if source in self.place]
        return sum(rows) / len(rows) if rows else 0.0


def _parameters(entries: Sequence[str | Mapping[str, list[str] | None]]) -> dict[str, tuple[str, ...]]:
    """DVC writes ``section`` of params.yaml, or ``{file: [section, …]}``."""
    declared: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        for file, sections in [(PARAMS_FILE, [entry])] if isinstance(entry, str) else entry.items():
            declared[file] = (*declared.get(file, ()), *(sections or ()))
    return declared


def _path(entry: str | Mapping[str, Any]) -> str:
    """DVC writes a path alone, or as the one key of a mapping with options."""
    return entry if isinstance(entry, str) else next(iter(entry))


def _writer(path: str, writer: Mapping[str, str]) -> str | None:
    """The stage that writes this path or a folder above it."""
    parts = [path, *map(str, PurePosixPath(path).parents)]
    return next((writer[part] for part in parts if part in writer), None)
