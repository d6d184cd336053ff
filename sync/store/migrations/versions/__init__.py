"""One file a revision; names begin with its number."""
