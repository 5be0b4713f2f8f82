"""What runs benchmarks, measures them and writes the page; it knows no benchmark by name."""
