"""Tests of the trainer, on models of two layers and on the CPU."""
