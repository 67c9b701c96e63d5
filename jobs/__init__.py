"""What is true of a table: ingest -> annotate -> dedup -> publish, each a Delta commit or nothing."""
