"""How a test makes a fake engine fail."""

FAILURE = "please fail"
"""A message (or a clause) that holds these words makes the engine fail, so that failures can be tested."""
