"""The program of the stage ``index``: ``python -m assets.index``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("index", "assets.index.stage")
