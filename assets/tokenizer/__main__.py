"""The program of the stage ``tokenizer``: ``python -m assets.tokenizer``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("tokenizer", "assets.tokenizer.stage")
