"""Pictures of nets: which layers make one node, where nodes and edges lie, and the page that shows them."""
