"""Documents into blocks of text, in a process of its own: a file may be broken, hostile, or simply too much."""
