"""Engines: what hears, thinks and speaks. Protocols in ``base``, one file or folder an engine, found through entry points."""
