"""The program of the stage ``validated``: ``python -m assets.validated``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("validated", "assets.validated.stage")
