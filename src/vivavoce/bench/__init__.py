"""Measuring: voice-to-voice latency, sessions in parallel, recognition errors."""
