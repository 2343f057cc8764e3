"""What was asked and what came of it, kept in a database for people, and compared with Checkbox's books."""
