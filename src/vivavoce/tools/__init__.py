"""Tools the server runs itself, inside of a response: the client declares them and does nothing more."""
