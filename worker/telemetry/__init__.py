"""What the worker shows of itself: metrics, logs, health."""
