"""The program of the stage ``writer_evaluation``: ``python -m assets.writer.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("writer_evaluation", "assets.writer.evaluate.stage")
