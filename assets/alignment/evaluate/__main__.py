"""The program of the stage ``alignment_evaluation``: ``python -m assets.alignment.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("alignment_evaluation", "assets.alignment.evaluate.stage")
