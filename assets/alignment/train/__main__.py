"""The program of the stage ``alignment``: ``python -m assets.alignment.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("alignment", "assets.alignment.train.stage")
