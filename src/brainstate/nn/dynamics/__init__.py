"""What evolves in time: inputs, hooks, integration, parameters with standard values."""
