"""The demo: a real model, real data that this Python brings with it, and a run from first click to last loss."""
