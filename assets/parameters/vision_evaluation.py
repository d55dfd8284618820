"""Parameters of ``vision_evaluation``."""

from assets.parameters.evaluation import ClassifierEvaluationParameters


class VisionEvaluationParameters(ClassifierEvaluationParameters):
    """Section `vision_evaluation`."""
