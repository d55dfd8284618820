"""Parameters of ``vision_evaluation``."""

from heddle.evaluation.parameters import ClassifierEvaluationParameters


class VisionEvaluationParameters(ClassifierEvaluationParameters):
    """Section `vision_evaluation`."""
