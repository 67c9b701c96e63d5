"""On a real standalone cluster: one master, two workers, `spark-submit`."""
