"""What runs: the supervisor, and the processes that it starts."""
