"""The program of the stage ``clip``: ``python -m assets.clip.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("clip", "assets.clip.train.stage")
