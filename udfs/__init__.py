"""What is true of one text or one conversation: kernels over Python, NumPy and Arrow; Spark in columns.py only."""
