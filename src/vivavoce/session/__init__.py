"""The behaviour of one conversation, sans-IO: inputs and a clock in, server events and commands out."""
