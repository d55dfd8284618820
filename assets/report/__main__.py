"""The program of the stage ``report``: ``python -m assets.report``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("report", "assets.report.stage")
