"""The program of the stage ``product``: ``python -m assets.product.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("product", "assets.product.train.stage")
