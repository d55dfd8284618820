"""The program of the stage ``assistant``: ``python -m assets.assistant.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("assistant", "assets.assistant.train.stage")
