"""What engines that run elsewhere have in common: where they are, requests with time limits, a circuit breaker. No model."""
