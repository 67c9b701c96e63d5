"""``python -m jobs.sample``: the same as ``winnow sample``."""

import sys

from jobs.sample import main

sys.exit(main())
