"""What activations, initializers, optimizers, schedules and losses have in common."""

import inspect


class Part:
    """A small object that an estimator is made of; `shared` is documented where parts are asked for by name."""

    shared = ()

    def __repr__(self):
        names = [name for name in inspect.signature(type(self)).parameters if hasattr(self, name)]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"
