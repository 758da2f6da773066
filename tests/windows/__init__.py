"""The real Python for Windows on this machine, under Wine: what sets it up, and what is run there."""
