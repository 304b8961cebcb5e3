"""Fine-tuning inside the environment: what a rank does, from the model's weights to the committed checkpoint."""
