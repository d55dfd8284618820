"""Write content back to a WordPress site as drafts."""
