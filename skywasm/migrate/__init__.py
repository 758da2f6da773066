"""Moves programs from SkyPilot's utility functions to skywasm's: what ``skywasm migrate`` does. Needs libcst.

libcst tells what a name stands for; edits are cut into the file's own text, so that nothing else can change.
"""
