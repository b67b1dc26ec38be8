"""Chat Completions on the wire: StepFun's fields and OpenAI's."""
