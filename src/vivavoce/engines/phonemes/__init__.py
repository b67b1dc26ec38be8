"""Phonemes that several synthesizers share: the English front end, and how a run's phonemes are cut."""
