"""A d-vector speaker encoder: whose voice an utterance sounds like."""

from vivavoce.engines.dvector.verifier import DVectorVerifier, load

__all__ = ["DVectorVerifier", "load"]
