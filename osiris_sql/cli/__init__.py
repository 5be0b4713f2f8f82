"""The command line: the verbs of the API with words around them."""
