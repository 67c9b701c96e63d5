"""Records told from their bytes by kernels, without Python objects: where each begins and ends, whether it is sound,
which values it holds where, and what those say, for many records at once."""
