"""Samples: formats, resampling, the input buffer addressed in samples, paced output."""
