"""What lies beside the nets: databases, HDF5 files, images, means, weights. Readers and statistics, no rules."""
