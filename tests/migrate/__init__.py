"""`skywasm migrate`: what it changes, what it leaves and says so, and that nothing else of a file changes."""
