"""Finding guides for a question: by meaning, by words, by both; with expansion, reranking and confidence."""
