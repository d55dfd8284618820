"""The networks and how they learn: everything that imports torch."""
