"""text-dedup: its MinHash command with its defaults (250 permutations, 5-grams, threshold 0.7). It also drops texts of
fewer than five words: removed, for nothing."""

import pickle
import subprocess
import sys
from pathlib import Path

from datasets import load_from_disk
from rows import read, write

rows, out, work = sys.argv[1:4]
command = [sys.executable, "-m", "text_dedup.minhash", "--path", "parquet", "--data_files", rows, "--split", "train"]
places = [
    "--cache_dir",
    f"{work}/cache",
    "--output",
    f"{work}/kept",
    "--column",
    "text",
    "--idx_column",
    "id",
    "--debug",
]
subprocess.run([*command, *places, "--num_proc", "2"], check=True)
ids = read(rows)[0]
kept = set(load_from_disk(f"{work}/kept")["id"])
found = pickle.loads(Path(f"{work}/kept/uf.pkl").read_bytes())
kept_of = {found.find(row): row for row in kept}
write(out, [(row, kept_of.get(found.find(row), "")) for row in ids if row not in kept])
