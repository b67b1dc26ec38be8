"""How well documents are found, and answered from: a corpus of its own, and questions with and without an answer."""
