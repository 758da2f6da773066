"""Batches over files and processes: right digests, errors where they belong, workers, interrupts, loading."""
