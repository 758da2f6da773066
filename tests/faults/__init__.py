"""What is broken, missing or hostile around the artifact, and the answer that comes out all the same."""
