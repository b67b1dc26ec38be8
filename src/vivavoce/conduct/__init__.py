"""Who speaks, to whom, and how: what an answer is held to so that a small model stays the persona it was told to be."""
