"""datasketch: MinHash and MinHashLSH, a row at a time; a row that finds kept rows is removed."""

import sys

from datasketch import MinHash, MinHashLSH
from rows import THRESHOLD, grams, read, write

ids, texts = read(sys.argv[1])
index, pairs = MinHashLSH(threshold=THRESHOLD, num_perm=128), []
for sketch, row in zip(
    MinHash.generator([[g.encode() for g in grams(text)] for text in texts], num_perm=128), ids, strict=True
):
    found = index.query(sketch)
    pairs += [(row, kept) for kept in found]
    if not found:
        index.insert(row, sketch)
write(sys.argv[2], pairs)
