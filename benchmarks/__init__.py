"""One command per claim of the README and of docs/measured.md."""
