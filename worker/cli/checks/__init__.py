"""What ``doctor`` looks at, a module for each part of the set-up. Nothing here changes anything."""
