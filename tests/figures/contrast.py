"""Contrast as WCAG 2 defines it, and colours as the book's dark mode shows them."""

import numpy as np
from matplotlib.colors import to_rgb

WHITE, DARK = (1.0, 1.0, 1.0), to_rgb("#121212")  # grounds of the pages


def inverted(colour):
    """What ``filter: invert(1) hue-rotate(180deg)`` of the style sheet makes of a colour (CSS Filter Effects, hue-rotate)."""
    light = np.array([0.213, 0.715, 0.072])  # rotation by 180 degrees mirrors a colour at its grey
    grey = (1 - np.array(to_rgb(colour))) @ light
    return np.clip(2 * grey - (1 - np.array(to_rgb(colour))), 0, 1)


def luminance(colour):
    """Relative luminance."""
    value = np.array(to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


def contrast(one, other):
    """Ratio from 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def least(colour):
    """The smaller contrast of a figure's colour, on a light and on a dark page."""
    return min(contrast(colour, WHITE), contrast(inverted(colour), DARK))
