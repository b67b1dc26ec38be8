"""The behaviour of one conversation, sans-IO: signals and a clock in, server events and commands out."""
