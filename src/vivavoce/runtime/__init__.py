"""The one async layer: it drives sessions, runs engines, and gives out slots."""
