"""rensa: RMinHash and RMinHashLSH, a row at a time; a row that finds kept rows is removed."""

import sys

from rensa import RMinHash, RMinHashLSH
from rows import THRESHOLD, grams, read, write

ids, texts = read(sys.argv[1])
index, pairs = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16), []
for place, text in enumerate(texts):
    sketch = RMinHash(num_perm=128, seed=42)
    sketch.update(grams(text))
    found = index.query(sketch)
    pairs += [(ids[place], ids[kept]) for kept in found]
    if not found:
        index.insert(place, sketch)
write(sys.argv[2], pairs)
