"""The jobs on real Spark and real Delta."""
