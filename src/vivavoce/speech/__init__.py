"""Text to speech as the audio endpoints do it: what a request may ask for, what is said and how, and the files it makes."""
