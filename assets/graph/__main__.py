"""The program of the stage ``graph``: ``python -m assets.graph``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("graph", "assets.graph.stage")
