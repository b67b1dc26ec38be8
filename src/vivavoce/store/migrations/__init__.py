"""Migrations, run at the start of every server.

A new one is a file in ``versions`` whose ``down_revision`` is the newest there. ``tests/store/test_migrations.py`` checks
that there is one newest, and that the migrations lead to the tables the code has.
"""
