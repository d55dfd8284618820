"""The program of the stage ``vision_evaluation``: ``python -m assets.vision.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("vision_evaluation", "assets.vision.evaluate.stage")
