"""Precision and recall with their counts, as lines of a Markdown table."""

import numpy as np

HEAD = "| set | label | rows | positive | found | right | precision | recall |\n|---|---|--:|--:|--:|--:|--:|--:|"


def line(name: str, label: str, found: np.ndarray, truth: np.ndarray) -> str:
    """One line of the table: ``found`` against ``truth`` (booleans, same length)."""
    right = int((found & truth).sum())
    shares = (_share(right, int(found.sum())), _share(right, int(truth.sum())))
    counts = (len(truth), int(truth.sum()), int(found.sum()), right)
    return " | ".join(["|", name, label, *(f"{count:,}" for count in counts), *shares, "|"]).replace("| |", "|")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"
