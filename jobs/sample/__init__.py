"""``winnow sample``: sample input of our own making, in six formats, with planted copies and faults and their truth."""

from jobs.sample.generate import write_sample

__all__ = ["write_sample"]
