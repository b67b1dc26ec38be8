"""Child processes for what is fragile or comes from outside: how they are started, confined, spoken with, and how they die.

Documents, recordings and the models of cloned voices are read by native libraries. Each does so in a process of its own that
has no network, starts no program, sees no files but Python's own, and has bounds of memory and time.
"""
