"""The vectors and the bug reports, over every backend."""
