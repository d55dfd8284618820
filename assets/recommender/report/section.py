"""The graph, and how well its recommender tells what can become what."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.report.charts.charts import Series, histogram, line_chart
from assets.report.charts.scatter import scatter
from assets.report.charts.svg import counted, readable
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.measures import Measure, measures
from heddle.families.family import Family

STAGE = "recommender_evaluation"
MODEL = "recommender"
NUMBERS = {  # of the statistics -> how a person calls them
    "components": "connected components",
    "largest_component": "nodes of the largest",
    "isolated_nodes": "nodes without an edge",
    "diameter": "diameter, edges",
    "mean_degree": "mean degree",
    "largest_degree": "largest degree",
    "density": "density",
    "homophily": "homophily: edges between nodes of one type",
    "text_likeness_of_neighbours": "mean cosine of the texts of neighbours",
    "text_likeness_of_strangers": "the same of nodes drawn at random",
}
COLUMNS = {
    "auc": "AUC",
    "average_precision": "AP",
    "ndcg_at_10": "NDCG@10",
    "hits_at_10": "hits@10",
    "precision_at_10": "precision@10",
    "mrr": "MRR",
    "coverage": "coverage",
}
BINS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
"""Lower ends of the degrees' bins, about equally wide on a logarithmic scale; the last holds all above."""


def recommendation(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    plots = data.plots[STAGE]
    known = {measure.key: measure for measure in measures(data.metrics[STAGE])}
    return {
        "no_graph": data.skipped.get("graph"),
        "skipped": data.skipped.get(MODEL) or data.skipped.get(STAGE),
        "words": _words(data.statistics),
        "numbers": _numbers(data.statistics),
        "central": data.statistics.get("central", []),
        "degrees": _degrees(data.plots["graph"].get("degrees", [])),
        "map": scatter("Where the nodes lie", _points(plots.get("map", []))) if plots.get("map") else None,
        "columns": COLUMNS,
        "systems": [_system(row, known) for row in plots.get("systems", [])],
        "asked": data.metrics[STAGE].get("queries", 0),
        "test_edges": data.metrics[STAGE].get("test_edges", 0),
        "ceiling": known["auc"].ceiling if "auc" in known else None,
        "confidence": data.confidence,
        "charts": _charts(plots),
        "examples": data.examples[STAGE],
    }


def _words(statistics: Mapping[str, Any]) -> str:
    if not statistics:
        return ""
    types = ", ".join(f"{readable(count)} of type {name}" for name, count in statistics["types"].items())
    relations = ", ".join(f"{readable(count)} {name}" for name, count in statistics["relations"].items())
    return f"{counted(statistics['numbers']['nodes'], 'node')}: {types}. Edges: {relations}."


def _numbers(statistics: Mapping[str, Any]) -> list[dict[str, Any]]:
    numbers = statistics.get("numbers", {})
    sampled = {"diameter": "at least "} if statistics.get("sampled") else {}
    return [
        {"name": name, "value": f"{sampled.get(key, '')}{readable(numbers[key])}"}
        for key, name in NUMBERS.items()
        if key in numbers
    ]


def _degrees(rows: Sequence[Mapping[str, str]]) -> Markup | None:
    """Shares of the nodes of each type by degree; equally wide bins on the page, named by their number."""
    if not rows:
        return None
    counts: dict[str, list[float]] = {}
    for row in rows:
        place = sum(int(row["degree"]) >= low for low in BINS) - 1
        counts.setdefault(row["type"], [0.0] * len(BINS))[place] += int(row["nodes"])
    label = "degree, bins from " + ", ".join(map(str, BINS))
    return histogram("Degrees by type", label, range(len(BINS) + 1), list(counts.items()))


def _points(rows: Sequence[Mapping[str, str]]) -> dict[str, list[tuple[float, float, str]]]:
    groups: dict[str, list[tuple[float, float, str]]] = {}
    for row in rows:
        groups.setdefault(row["type"], []).append((float(row["x"]), float(row["y"]), row["text"]))
    return dict(sorted(groups.items()))  # the order, and so the colours, of the degrees beside it


def _system(row: Mapping[str, str], known: Mapping[str, Measure]) -> dict[str, Any]:
    own = row["system"] == MODEL
    return {
        "name": row["system"].replace("_", " "),
        "own": own,
        "numbers": [
            {"value": float(row[name]), "interval": known[name].interval if own and name in known else None}
            for name in COLUMNS
        ],
    }


def _charts(plots: Mapping[str, Sequence[Mapping[str, str]]]) -> list[Markup]:
    wanted = (
        ("hits", "k", "hits", "Whether one of the first k is right", "k, how many are looked at"),
        (
            "roc",
            "false_positives",
            "true_positives",
            "Edges found by false alarms",
            "share of the others taken for edges",
        ),
    )
    charts = []
    for name, x, y, title, label in wanted:
        rows = plots.get(name, [])
        systems = list(dict.fromkeys(row["system"] for row in rows))
        series = [
            Series(
                system.replace("_", " "),
                [(float(row[x]), float(row[y])) for row in rows if row["system"] == system],
                colour,
            )
            for colour, system in enumerate(systems)
        ]
        if series:
            charts.append(line_chart(title, label, series, y_range=(0, 1)))
    return charts
