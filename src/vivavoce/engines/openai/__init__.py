"""Engines behind OpenAI-style endpoints: chat completions, transcriptions, speech, embeddings."""
