"""A pinned Delta version in, a LoRA adapter out; no Spark here."""
