"""The family ``assistant``: stages, metrics, gates, release and report section."""

from assets.assistant.base.parameters import BaseLanguageParameters
from assets.assistant.evaluate.parameters import AssistantEvaluationParameters
from heddle.conversations.parameters import AssistantParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

ASSISTANT = Family(
    name="assistant",
    title="Assistant",
    summary="Answers questions from the guides that retrieval finds.",
    train=(
        StageDescription("base_language", BaseLanguageParameters),
        StageDescription("assistant", AssistantParameters),
    ),
    evaluate=StageDescription("assistant_evaluation", AssistantEvaluationParameters),
    headline=("retrieved_context.step_accuracy", "oracle_context.step_accuracy"),
    gates=(
        Gate(metric="assistant_evaluation.retrieved_context.step_accuracy", at_least=0.8),
        Gate(metric="assistant_evaluation.retrieval_gain", at_least=0.2),
        Gate(metric="assistant_evaluation.perplexity_ratio", at_most=0.5),
    ),
    release=Release(
        files=("tokenizer_config.json",),
        optional_files=("*",),  # an adapter or a whole model, and the tokenizer of the model it started from
        task="text-generation",
        upstream_sections=("split", "tokenizer"),
        libraries=("torch", "lightning", "transformers", "peft", "tokenizers", "safetensors"),
        evaluated_on="conversations",
        library="transformers",
        base="base_language",
    ),
    curves=(
        Curve("Base model: loss", ("train_loss", "validation_loss"), stage="base_language"),
        LOSS,
        LEARNING_RATE,
    ),
    section=ReportSection(
        heading="Question answering",
        builder="assets.assistant.report.section:answers",
        template="assistant/report/section.html.j2",
    ),
)
