"""The program of the stage ``assistant_evaluation``: ``python -m assets.assistant.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("assistant_evaluation", "assets.assistant.evaluate.stage")
