"""What people keep of the dashboard in a store: views under a name."""
