"""What more than one benchmark builds: generated models, written the way each tool likes them."""
