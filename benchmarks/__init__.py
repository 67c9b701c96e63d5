"""One command per claim of the README."""
