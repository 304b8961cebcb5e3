"""From rows to token ids, label masks and packed sequences, prepared once and memory-mapped. No torch."""
