"""Hosted Realtime APIs (OpenAI's, GA and beta, StepFun's, another Vivavoce's) as engines that hear, answer and speak."""
