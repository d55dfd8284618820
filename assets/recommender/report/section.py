"""The section of ``recommender``: statistics of the graph, link prediction and example recommendations."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.report.charts.charts import Series, histogram, line_chart
from assets.report.charts.scatter import scatter
from assets.report.charts.svg import counted, readable
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.metric_tree import MetricTree, find
from heddle.families.family import Family

STAGE = "recommender_evaluation"
MODEL_SYSTEM = "graph"
"""The system of the evaluation that is the recommender itself; the others are baselines."""
NUMBERS = {  # statistic of the graph -> its name on the page
    "components": "connected components",
    "largest_component": "nodes of the largest component",
    "isolated_nodes": "nodes without an edge",
    "diameter": "diameter, edges",
    "mean_degree": "mean degree",
    "largest_degree": "maximum degree",
    "density": "density",
    "homophily": "homophily: share of edges between nodes of one type",
    "text_likeness_of_neighbours": "mean text cosine of neighbours",
    "text_likeness_of_strangers": "mean text cosine of random pairs",
}
COLUMNS = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "ndcg_at_10": "NDCG@10",
    "hits_at_10": "hits@10",
    "precision_at_10": "precision@10",
    "mrr": "MRR",
    "coverage": "coverage",
}
BINS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
"""Lower ends of the degree bins, about equally wide on a logarithmic scale; the last bin is open."""


def recommendation(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    plots, metrics = data.plots[STAGE], data.metrics[STAGE]
    auroc = find(metrics, f"{MODEL_SYSTEM}.auroc")
    return {
        "no_graph": data.skipped.get("graph"),
        "skipped": data.skipped.get(family.name) or data.skipped.get(STAGE),
        "words": _words(data.statistics),
        "numbers": _numbers(data.statistics),
        "central": data.statistics.get("central", []),
        "degrees": _degrees(data.plots["graph"].get("degrees", [])),
        "map": scatter("Node embeddings, first two principal components", _points(plots.get("map", [])))
        if plots.get("map")
        else None,
        "columns": COLUMNS,
        "systems": [_system(name, metrics) for name in metrics if isinstance(metrics[name], Mapping)],
        "queries": metrics.get("queries", 0),
        "test_edges": metrics.get("test_edges", 0),
        "upper_bound": auroc.upper_bound if auroc else None,
        "confidence": data.confidence,
        "charts": _charts(plots),
        "examples": data.examples[STAGE][: parameters.queries],
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
    """Histogram of the degrees by node type; the page draws all bins with equal width."""
    if not rows:
        return None
    counts: dict[str, list[float]] = {}
    for row in rows:
        index = sum(int(row["degree"]) >= low for low in BINS) - 1
        counts.setdefault(row["type"], [0.0] * len(BINS))[index] += int(row["nodes"])
    label = "degree, bins from " + ", ".join(map(str, BINS))
    return histogram("Degree distribution by type", label, range(len(BINS) + 1), list(counts.items()))


def _points(rows: Sequence[Mapping[str, str]]) -> dict[str, list[tuple[float, float, str]]]:
    groups: dict[str, list[tuple[float, float, str]]] = {}
    for row in rows:
        groups.setdefault(row["type"], []).append((float(row["x"]), float(row["y"]), row["text"]))
    return dict(sorted(groups.items()))  # the same order, and so the same colours, as in the degree distribution


def _system(name: str, metrics: MetricTree) -> dict[str, Any]:
    """One row of the table; only the recommender's own metrics show their intervals."""
    own = name == MODEL_SYSTEM
    found = [find(metrics, f"{name}.{column}") for column in COLUMNS]
    return {
        "name": "recommender" if own else name.replace("_", " "),
        "own": own,
        "numbers": [
            {"value": metric.value, "interval": metric.interval if own else None}
            for metric in found
            if metric is not None
        ],
    }


def _charts(plots: Mapping[str, Sequence[Mapping[str, str]]]) -> list[Markup]:
    wanted = (
        ("hits", "k", "hits", "Hits@k", "k"),
        ("roc", "false_positives", "true_positives", "Link prediction: ROC", "false positive rate"),
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
