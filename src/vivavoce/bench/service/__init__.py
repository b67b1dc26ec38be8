"""The service bench: businesses with documents and functions of effect, and dialogues about them that are scored by code."""
