"""The program of the stage ``clip_evaluation``: ``python -m assets.clip.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("clip_evaluation", "assets.clip.evaluate.stage")
