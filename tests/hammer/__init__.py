"""Threads, forks, signals and exits at bad moments."""
