"""What is true of the lake's Delta tables as they lie there: logs, files, versions. By deltalake and Arrow, no JVM."""
