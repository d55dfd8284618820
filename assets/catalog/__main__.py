"""The program of the stage ``catalog``: ``python -m assets.catalog``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("catalog", "assets.catalog.stage")
