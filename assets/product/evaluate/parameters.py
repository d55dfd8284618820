"""Parameters of ``product_evaluation``."""

from heddle.evaluation.parameters import ClassifierEvaluationParameters


class ProductEvaluationParameters(ClassifierEvaluationParameters):
    """Section `product_evaluation`."""
