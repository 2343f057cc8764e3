"""Looking through the dead letters, replaying and discarding them, and watching their causes."""
