"""The program of the stage ``product_evaluation``: ``python -m assets.product.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("product_evaluation", "assets.product.evaluate.stage")
