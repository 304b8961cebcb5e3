"""The Memory page: what weights, gradients and optimizer states take on each GPU."""
