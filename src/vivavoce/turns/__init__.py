"""When does the user speak, and when have they finished."""
