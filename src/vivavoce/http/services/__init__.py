"""The services of a server: each a module, found by its entry point in the group ``vivavoce.services``."""
