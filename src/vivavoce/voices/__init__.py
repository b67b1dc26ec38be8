"""The voices a client can name."""
