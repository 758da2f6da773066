"""What the parts of the project promise one another, read from the code and the artifact."""
