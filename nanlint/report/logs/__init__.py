"""What stands in a training log, written: JSON and CSV for programs, a summary and curves for people."""
