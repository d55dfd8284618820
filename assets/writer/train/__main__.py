"""The program of the stage ``writer``: ``python -m assets.writer.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("writer", "assets.writer.train.stage")
