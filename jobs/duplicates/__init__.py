"""What `jobs/dedup.py` is made of: signatures, comparisons, components, caps, and the measure of all that."""
