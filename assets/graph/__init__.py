"""Nodes, edges and what is known of them: the graph of what can become what, ready to learn from."""
