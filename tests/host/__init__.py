"""The machine's facts, and the functions through which the artifact asks for them."""
