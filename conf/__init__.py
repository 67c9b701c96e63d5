"""What may be changed: the settings tree, the recipes, the keyword lists, the table map."""

VERSION = "0.1.0"
"""The product's version, written into every run and every commit."""
