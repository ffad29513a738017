"""The standard connector suite: see README.md."""
