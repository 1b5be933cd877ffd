"""What connects models: delays, projections, groups."""
