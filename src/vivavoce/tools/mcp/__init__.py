"""Tool servers that speak the Model Context Protocol: reached through the official SDK, their tools offered like our own."""
