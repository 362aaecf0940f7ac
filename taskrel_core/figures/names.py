"""What readers call data sets, encoders, metrics, modes and scores."""

NAMES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "digits": "digits 8x8",
    "usps": "USPS",
    "glyphs_latin": "Latin glyphs",
    "glyphs_greek": "Greek glyphs",
    "glyphs_digits": "digit glyphs",
    "glyphs_cyrillic": "Cyrillic glyphs",
    "imagenet": "ImageNet",
    "cifar10_full": "CIFAR-10",
    "svhn": "SVHN",
    "kmnist": "KMNIST",
    "emnist_letters": "EMNIST letters",
    "emoji_noto": "Noto emoji",
    "emoji_twemoji": "Twemoji",
    "euclidean": "Euclidean",
    "span": "span",
    "logit": "logit",
    "one_sided": "one-sided",
    "lenet": "LeNet",
    "pca": "pixel PCA",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_lite1": "EfficientNet-Lite1",
    "efficientnet_lite2": "EfficientNet-Lite2",
    "efficientnet_lite0_random": "Lite0, random weights",
    "squeezenet": "SqueezeNet 1.1",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v2_dogs": "MobileNetV2, dogs",
    "resnet50_thin": "ResNet50-thin",
    "vgg16": "VGG16 trunk",
    "random_net": "random net",
    "tiny_imagenet": "Tiny-ImageNet",
    "cifar10": "CIFAR-10",
    "dtd10": "DTD-10",
    "flowers5": "Flowers-5",
    "aircraft": "Aircraft",
    "caltech101": "Caltech-101",
    "cars": "Cars",
    "cifar100": "CIFAR-100",
    "dtd": "DTD",
    "pets": "Pets",
    "sun397": "SUN397",
    "fixed_all": "FixedAll",
    "learned_a": "LearnedA",
    "learned_all": "LearnedAll",
}


TERMS = {
    "reweighted_loss": "re-weighted reference loss",
    "label_mismatch": "label mismatch",
    "transport": "distribution mismatch",
}


def named(name: str) -> str:
    """Return what readers call a data set, an encoder, a metric or a mode; its own name where there is no other."""
    return "your pictures" if name.startswith("folder:") else NAMES.get(name, name)


SCORE_NAMES = {
    "paper": "relatedness, paper's form",
    "calibrated": "relatedness, calibrated",
    "logit": "relatedness, logit",
    "one_sided": "relatedness, one-sided",
    "logit_in": "logit, certified",
    "one_sided_in": "one-sided, certified",
    "reference_accuracy": "reference accuracy",
    "log_tau": "log calibrated tau",
    "logme": "LogME",
    "leep": "LEEP",
    "nce": "NCE",
    "pactran": "PACTran",
    "sfda": "SFDA",
    "hscore": "H-score",
    "hscore_shrunk": "H-score, shrunk",
    "ot_nce": "OT-NCE",
    "otce": "OTCE",
    "nleep": "NLEEP",
    "transrate": "TransRate",
    "gbc": "GBC",
    "sfda_pca": "SFDA on 128 components",
    "hscore_pca": "H-score on 64 components",
}
