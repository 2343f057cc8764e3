"""What became of an order."""
