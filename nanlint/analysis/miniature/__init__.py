"""A net in miniature: the same graph with a few units a layer, trained at several rates at once.

Fillers, rates and gradients are rescaled so that activations, the gradient at each blob and the curvature of
the loss are those of the net itself. numpy is imported here, and nowhere else in the analyses.
"""
