"""The routes: what listens on HTTP and WebSocket. They translate transports, nothing more."""
