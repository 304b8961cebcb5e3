"""The studio's threads: one pool for calls that end, one thread per followed node; nothing else makes one."""
