"""The persona bench: does an assistant stay who it was told to be, and remember who it talks to? Checked by code."""
