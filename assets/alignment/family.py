"""The family ``alignment``: stages, metrics, gates, release and report section."""

from assets.alignment.train.parameters import AlignmentParameters
from heddle.families.family import Family, ReportSection, StageDescription

ALIGNMENT = Family(
    name="alignment",
    title="Space alignment",
    summary="Projects image, text and graph embeddings into one space.",
    train=(StageDescription("alignment", AlignmentParameters),),
    evaluate=StageDescription("alignment_evaluation"),
    headline=(),
    section=ReportSection(
        heading="Aligned embedding spaces",
        builder="assets.alignment.report.section:alignment",
        template="alignment/report/section.html.j2",
    ),
)
