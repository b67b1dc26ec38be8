"""Where passages are kept and found: a SQLite file of its own, or the PostgreSQL the rows are in."""
