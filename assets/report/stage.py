"""The stage `report`: facts in, one self-contained HTML page out."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from assets.alignment.report.section import alignment
from assets.assistant.report.section import answers
from assets.clip.report.section import retrieval
from assets.recommender.report.section import recommendation
from assets.report.charts.svg import readable
from assets.report.classification import classification
from assets.report.collection import images, splits
from assets.report.intake import intake
from assets.report.lineage import draw, read_graph
from assets.report.parameters import ReportParameters
from assets.report.positions import positions
from assets.report.report_data import read_facts
from assets.report.reproduce import reproduce
from assets.report.summary import summary
from assets.report.training import training
from assets.reranker.report.section import guides
from assets.writer.report.section import writing
from heddle.core.stage import Metrics, Stage
from heddle.evaluation.gate_parameters import Gates
from heddle.evaluation.gates import judge

ASSETS = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"
SECTIONS = {  # name of the template and the anchor -> heading
    "intake": "What came in",
    "images": "The images",
    "splits": "Splits and labels",
    "training": "Training",
    "retrieval": "Retrieval",
    "classification": "Classification",
    "writing": "Writing",
    "recommendation": "Recommendation",
    "alignment": "Images, words and graph in one space",
    "guides": "Finding guides",
    "answers": "Answering",
    "lineage": "Lineage",
    "reproduce": "Parameters and numbers",
    "positions": "Positions",
}
FAMILIES = {
    "retrieval": "clip",
    "writing": "writer",
    "recommendation": "recommender",
    "alignment": "alignment",
    "guides": "reranker",
    "answers": "assistant",
}
"""Section -> the family that it is about."""


def report(stage: Stage) -> Metrics:
    """Write index.html from everything that the pipeline has made."""
    parameters = stage.parameters(ReportParameters)
    stage.progress("reading")
    facts = read_facts(stage)
    verdicts = judge(stage.parameters(Gates, "gates"), facts.metrics, facts.absent)
    graph = read_graph(Path("dvc.yaml"))
    stage.progress("drawing")
    html = render(
        {
            "summary": summary(facts, verdicts),
            "intake": intake(facts, parameters.examples),
            "images": images(facts, parameters.images),
            "splits": splits(facts, parameters.label_values),
            "training": training(facts),
            "retrieval": retrieval(facts, parameters.queries),
            "classification": classification(facts),
            "writing": writing(facts, parameters.queries),
            "recommendation": recommendation(facts),
            "alignment": alignment(facts),
            "guides": guides(facts, parameters.queries),
            "answers": answers(facts, parameters.queries),
            "lineage": {"drawing": draw(graph), "stages": graph},
            "reproduce": reproduce(facts, next((one.parameters for one in graph if one.name == stage.name), {})),
            "positions": positions(),
        }
    )
    (stage.output / "index.html").write_text(html)
    passed = sum(verdict.passed for verdict in verdicts)
    return {"bytes": len(html.encode()), "gates_passed": passed, "gates_failed": len(verdicts) - passed}


def _template(section: str) -> str:
    """A family's section lies in the family's folder."""
    return f"{FAMILIES[section]}/report/section.html.j2" if section in FAMILIES else f"{section}.html.j2"


def render(content: dict[str, Any]) -> str:
    """The page. Every value is escaped unless it is Markup, which only this package's own drawings are.

    Args:
        content: template name to what that template shows.
    """
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, ASSETS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = readable
    environment.filters["percent"] = lambda share: f"{share * 100:g} %"
    style = Markup((TEMPLATES / "style.css").read_text())
    sections = [{"name": name, "title": title, "template": _template(name)} for name, title in SECTIONS.items()]
    return environment.get_template("page.html.j2").render(content, style=style, sections=sections) + "\n"
