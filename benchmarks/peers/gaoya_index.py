"""gaoya: MinHashStringIndex with its own words, all rows inserted and asked on all cores; all but the first of those
that a row finds are removed for the first."""

import sys

from gaoya.minhash import MinHashStringIndex
from rows import THRESHOLD, read, write

ids, texts = read(sys.argv[1])
index = MinHashStringIndex(32, THRESHOLD, 16, 8, None, "word", True, (5, 5))
pairs, numbers = [], list(range(len(ids)))
index.par_bulk_insert_docs(numbers, texts)
gone = set()
for start in range(0, len(texts), 10_000):
    answers = index.par_bulk_query(texts[start : start + 10_000])
    for row, found in enumerate(answers, start):
        kept = [other for other in found if other < row and other not in gone]
        pairs += [(ids[row], ids[other]) for other in kept]
        if kept:
            gone.add(row)
write(sys.argv[2], pairs)
