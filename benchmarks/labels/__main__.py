"""Precision and recall of the rules, on labelled data that is not ours to ship.

    python -m benchmarks.labels [edits] [structure] [keywords] [language] [pii] [--data FOLDER]

The folder is WINNOW_REAL_DATA's when not given. Without names, all modules run.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

MODULES = ("edits", "structure", "keywords", "language", "pii")


def main() -> int:
    """Run the named modules' ``main(data: Path)``; 2 where data is missing."""
    parser = argparse.ArgumentParser("benchmarks.labels", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--data", default=os.environ.get("WINNOW_REAL_DATA", ""), metavar="FOLDER")
    args = parser.parse_args()
    if unknown := sorted(set(args.names) - set(MODULES)):
        parser.error(f"no module {', '.join(unknown)}; there are {', '.join(MODULES)}")
    if not args.data or not Path(args.data).is_dir():
        print(f"no data folder at {args.data or '(none named)'}: set WINNOW_REAL_DATA or give --data", file=sys.stderr)
        return 2
    return max(_run(name, Path(args.data)) for name in args.names or MODULES)


def _run(name: str, data: Path) -> int:
    print(f"\n## {name}\n")
    try:
        importlib.import_module(f"benchmarks.labels.{name}").main(data)
    except FileNotFoundError as error:
        print(f"missing: {error.filename or error}")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
