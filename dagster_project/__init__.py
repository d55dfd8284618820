"""The orchestrator: everything that imports dagster, and nothing else does."""
