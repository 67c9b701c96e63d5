"""Every number of training, one after the other: (a) tokens and packs, (b) the loop, both against TRL.

    python -m benchmarks.train [--trl PYTHON] [--lmsys FOLDER] [--rows 4000]

The options are those of ``benchmarks.train_tokens``; each part can be run by itself.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks import train_loop, train_tokens


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trl", metavar="PYTHON", help="interpreter of an environment with trl")
    parser.add_argument("--lmsys", metavar="FOLDER", help="chats as LMSYS-Chat-1M has them, in Parquet")
    parser.add_argument("--rows", type=int, default=4000, help="chats of part (a)")
    args = parser.parse_args()
    made_up = train_loop.conversations(args.rows)
    chats = train_tokens.lmsys(args.lmsys, args.rows) if args.lmsys else made_up
    with tempfile.TemporaryDirectory() as folder:
        print("(a) tokenize, mask and pack")
        train_tokens.measure(Path(folder), chats, args.trl)
    with tempfile.TemporaryDirectory() as folder:
        print("(b) useful tokens a second while training")
        train_loop.measure(Path(folder), 600, args.trl)


if __name__ == "__main__":
    main()
