"""Time marks of a turn; metrics, logs, the bench and clients all read these same marks."""
