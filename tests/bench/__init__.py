"""The benchmark: what it runs, what it refuses, what it writes. No time is asserted anywhere."""
