"""One folder a model: weights, config, tokenizer, model card, metrics, lineage; ready to register."""
