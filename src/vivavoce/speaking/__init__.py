"""What a voice is asked for in words, and the speaking style that comes of it. Pure."""
