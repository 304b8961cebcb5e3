"""What desktop and node agree on: standard library only, no input or output, no clock, Python 3.8."""
