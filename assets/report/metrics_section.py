"""The default section of a family: a table of all metrics of its evaluation."""

from typing import Any

from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.metric_names import plain_name
from heddle.evaluation.metric_tree import MetricTree, MetricValue, leaves
from heddle.families.family import Family


def metrics_section(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section of a family without a builder of its own."""
    stage = family.evaluate.name
    return {
        "summary": family.summary,
        "skipped": data.skipped.get(family.name) or data.skipped.get(stage),
        "table": metrics_table(data.metrics[stage]),
        "confidence": data.confidence,
    }


def metrics_table(metrics: MetricTree) -> dict[str, Any]:
    """All metrics of an evaluation as a table; columns that would be empty are not shown."""
    rows = list(leaves(metrics))
    return {
        "rows": [_row(metric) for metric in rows],
        "has_chance": any(metric.chance is not None for metric in rows),
        "has_upper_bounds": any(metric.upper_bound is not None for metric in rows),
    }


def _row(metric: MetricValue) -> dict[str, Any]:
    return {
        "name": plain_name(metric.path),
        "value": metric.value,
        "chance": metric.chance,
        "upper_bound": metric.upper_bound,
        "interval": metric.interval,
    }
