"""The artifact in seven engines: the same bytes, asked the same questions, held to the same recorded answers."""
