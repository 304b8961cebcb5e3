"""Update rules that PyTorch lacks, and how one is chosen and built."""
