"""The benchmark: SkyPilot's functions and skywasm's, one beside the other in one process.

``cases`` says what is compared, ``measure`` how. An answer is checked before it is timed.
"""
