"""Images to features. ``base`` has the registry, ENCODERS; every other file registers encoders of one kind.

A new encoder is one new file in this folder. ``Packaged`` and ``Checkpoint`` read published weights; anything else is
a network of its own::

    from torch import nn

    from .base import NetworkEncoder, register
    from .preprocessing import Normalization

    class Mine(NetworkEncoder):
        def load(self):
            return nn.Sequential(nn.Conv2d(3, 64, 7, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval(), None

    register(Mine(name="mine", dim=64, source_task="none", licence="MIT", input_size=64, recipe="mine-1",
                  normalization=Normalization(127.5, 127.5)))
"""
