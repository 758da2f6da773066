"""Long differential fuzzing: SkyPilot 0.14.1 against every backend, a million cases a function."""
