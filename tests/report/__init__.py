"""The performance report: what it is made from, what it shows, where it goes, and how the page behaves in a browser."""
