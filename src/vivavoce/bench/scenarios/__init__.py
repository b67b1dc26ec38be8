"""Does the assistant answer to the voice? Scenarios by voice, and neutral sentences, scored by code."""
