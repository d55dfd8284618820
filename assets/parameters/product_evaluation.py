"""Parameters of ``product_evaluation``."""

from assets.parameters.evaluation import ClassifierEvaluationParameters


class ProductEvaluationParameters(ClassifierEvaluationParameters):
    """Section `product_evaluation`."""
