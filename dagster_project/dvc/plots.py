"""Training curves as an image in the metadata of a materialization."""

import base64
import csv
import io
from pathlib import Path

X_AXIS = "epoch"


def plot_history(history: Path) -> str | None:
    """A Markdown image with one small plot for each column of ``history.csv``; None if there is no such file."""
    if not history.is_file():
        return None
    from matplotlib.figure import Figure  # slow import, needed only here

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in (rows[0] if rows else {}) if name != X_AXIS]
    if not columns:
        return None
    width = min(3, len(columns))
    height = -(-len(columns) // width)
    figure = Figure(figsize=(3.6 * width, 2.4 * height), layout="constrained")
    for number, name in enumerate(columns, 1):
        points = [(float(row[X_AXIS]), float(row[name])) for row in rows if row[name]]
        axes = figure.add_subplot(height, width, number)
        if points:
            axes.plot(*zip(*points, strict=True), color="#2f6f8f")
        else:
            axes.set_axis_off()
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return f"![training curves](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
