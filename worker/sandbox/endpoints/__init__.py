"""The endpoints of Checkbox's API. Each takes a call that has been identified and validated."""
