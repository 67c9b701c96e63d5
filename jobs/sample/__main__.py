"""``python -m jobs.sample``: the same as ``winnow sample``."""

import sys

from jobs.cli import main

sys.exit(main(["sample", *sys.argv[1:]]))
