"""The program of the stage ``base_language``: ``python -m assets.assistant.base``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("base_language", "assets.assistant.base.stage")
