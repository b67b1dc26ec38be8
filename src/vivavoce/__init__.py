"""Vivavoce: an open, self-hosted voice dialogue platform."""

from importlib.metadata import version

__version__ = version("vivavoce")
