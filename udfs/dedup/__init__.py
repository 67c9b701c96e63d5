"""What is true of many conversations that are compared: the kernels of the near-duplicate engine, Arrow to Arrow."""
