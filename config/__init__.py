"""What operators set: the environment (``settings``) and the integrations file (``integrations``)."""
