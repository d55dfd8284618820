"""The program of the stage ``vision``: ``python -m assets.vision.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("vision", "assets.vision.train.stage")
