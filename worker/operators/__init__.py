"""What a command and a page of the console both do."""
