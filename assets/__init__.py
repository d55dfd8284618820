"""The pipeline: one folder for each step and each model family. A stage is a folder that runs as a program."""
