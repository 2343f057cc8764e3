"""HTTP to both partners: connections, their time limits, and one call over them."""
