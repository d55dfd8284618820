"""What the pipeline knows of a model family: stages, metrics, gates, release and report. No torch here.

Each ``assets/<family>/family.py`` describes one family with these classes, and ``assets/families.py`` lists all of
them. Whatever needs a list of models (report, release, gates, parameter check, tests) derives it from that tuple.
"""

from dataclasses import dataclass

from heddle.core.parameters.section import Section
from heddle.evaluation.gate_parameters import Gate


@dataclass(frozen=True)
class StageDescription:
    """A stage of ``dvc.yaml``.

    Attributes:
        name: of the stage, its folder below ``data/`` and its parameter section.
        parameters: class of the parameter section; None for a stage without one.
    """

    name: str
    parameters: type[Section] | None = None


@dataclass(frozen=True)
class Curve:
    """A chart of columns of a training stage's ``history.csv``.

    Attributes:
        title: of the chart: ``Loss``.
        columns: of the history; those that a run did not write are skipped.
        stage: that wrote the history; the family's last training stage where empty.
        is_share: whether the values lie in [0, 1], which the axis then shows.
    """

    title: str
    columns: tuple[str, ...]
    stage: str = ""
    is_share: bool = False


LOSS = Curve("Loss", ("train_loss", "validation_loss"))
LEARNING_RATE = Curve("Learning rate", ("learning_rate",))


@dataclass(frozen=True)
class Release:
    """What a released model consists of.

    Attributes:
        files: of the training stage's folder, without which the model does not load.
        optional_files: more of that folder, which the stage writes for some parameters only; names or patterns.
        evaluation_files: of the evaluation's folder: what it measured of the model that users need too.
        task: Hugging Face's name of the task, for the model card.
        evaluated_on: what the evaluation's examples are, in the plural.
        upstream_sections: parameter sections, beside the family's own, that shaped the model.
        libraries: distributions whose versions shaped the model.
        library: what loads the model; ``peft`` is inserted where it turns out to be an adapter.
        base: the training stage whose model an adapter needs; None for models that need none.
        card_systems: first names of the metric paths that the card shows; empty: all.
    """

    files: tuple[str, ...]
    task: str
    upstream_sections: tuple[str, ...]
    libraries: tuple[str, ...]
    optional_files: tuple[str, ...] = ()
    evaluation_files: tuple[str, ...] = ()
    evaluated_on: str = "listings"
    library: str = "heddle"
    base: str | None = None
    card_systems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportSection:
    """A family's section of the report.

    Attributes:
        heading: of the section.
        builder: ``module:function`` of ``function(data, family, parameters) -> dict``, what the template shows as
            ``section``. Imported when the report is written.
        template: below ``assets/``.
    """

    heading: str
    builder: str = "assets.report.metrics_section:metrics_section"
    template: str = "report/templates/metrics_section.html.j2"


@dataclass(frozen=True)
class Family:
    """A model family.

    Attributes:
        name: of the model, its folders below ``assets/`` and ``lightning_modules/`` and its release.
        title: a noun phrase: ``Dual encoder``.
        summary: one sentence: what the model does.
        train: the training stages, in order; the last one makes the model.
        evaluate: the stage that evaluates the model.
        headline: paths in the evaluation's metrics that the report's summary shows, most important first.
        section: of the report.
        gates: that hold where ``params.yaml`` names none for this model; the first decides about the champion.
        release: what is released; None for a family that is not released by itself.
        curves: of the training.
    """

    name: str
    title: str
    summary: str
    train: tuple[StageDescription, ...]
    evaluate: StageDescription
    headline: tuple[str, ...]
    section: ReportSection
    gates: tuple[Gate, ...] = ()
    release: Release | None = None
    curves: tuple[Curve, ...] = (LOSS, LEARNING_RATE)

    @property
    def stages(self) -> tuple[StageDescription, ...]:
        """All stages, training first."""
        return (*self.train, self.evaluate)
