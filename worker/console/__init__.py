"""The dead-letter commands as pages in a browser, for those who have no terminal."""
