"""One module (or package) for each asset: what it computes. None imports dagster."""
