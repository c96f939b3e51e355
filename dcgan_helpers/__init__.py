"""Helpers for the DCGAN notebook series: networks, data, the training loop, metrics, figures.

Data flows one way:

    hyperparameters -> data -> networks -> training loop -> run folder -> metrics, figures

Nothing is imported here, so that `import dcgan_helpers.networks` costs PyTorch alone.
"""


class InputError(Exception):
    """What the user gave cannot be used: says which value, what was expected, what to do."""
