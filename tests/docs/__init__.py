"""The documentation: its code runs, its commands print what it says, it builds, and its types are whole."""
