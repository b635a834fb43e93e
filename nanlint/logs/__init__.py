"""A Caffe training log, read line by line into what the run did. It knows no rule and judges nothing."""
