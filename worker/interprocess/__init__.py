"""What the processes of a worker share by fork."""
