"""Images to features. ``base`` has the registry, ENCODERS; every other file registers encoders of one kind.

A new encoder is one new file in this folder, such as::

    from .base import OURS, Encoder, register
    from .preprocessing import grey

    class Pixels(Encoder):
        def features(self, images, size=None):
            return grey(images, self.side(size)).reshape(len(images), -1)

    facts = {"source_task": "none: pixels", "licence": OURS, "input_size": 28, "recipe": "pixels-1"}
    register(Pixels(name="pixels", dim=784, **facts))

A torch network defines ``load`` instead, and has a ``normalization``; ``packaged`` and ``checkpoints`` have examples.
"""
