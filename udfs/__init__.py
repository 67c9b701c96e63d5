"""What is true of one text or one conversation: pure kernels over Python, NumPy and Arrow; no Spark but in columns.py."""
