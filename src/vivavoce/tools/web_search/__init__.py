"""Web search: a provider's results, tidied, read further where time allows, and told to the model in a few hundred tokens."""
