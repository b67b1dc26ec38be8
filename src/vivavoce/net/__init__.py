"""Fetching what a client names by its address, without being led to where only the server may go."""
