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
    "lenet_shuffled": "LeNet, random labels",
    "pca": "pixel PCA",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_lite1": "EfficientNet-Lite1",
    "efficientnet_lite2": "EfficientNet-Lite2",
    "efficientnet_lite0_random": "Lite0, random weights",
    "squeezenet": "SqueezeNet 1.1",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v2_torchvision": "MobileNetV2, torchvision",
    "mobilenet_v2_keras": "MobileNetV2, Keras",
    "mobilenet_v2_dogs": "MobileNetV2, dogs",
    "mobilenet_v2_documents": "MobileNetV2, documents",
    "mobilenet_v2_faces": "MobileNetV2, faces",
    "mobilenet_v1": "MobileNetV1",
    "densenet121": "DenseNet-121",
    "vgg16_edges": "VGG16 trunk, edges",
    "lcnet_orientation": "PP-LCNet, orientation",
    "vit_small_saliency": "ViT-S/14, saliency",
    "extra_resnet18_anime": "ResNet-18, anime",
    "resnet50_thin": "ResNet50-thin",
    "vgg16": "VGG16 trunk",
    "random_net": "random net",
    "tiny_imagenet": "Tiny-ImageNet",
    "tiny_1": "Tiny-ImageNet, 1 epoch",
    "tiny_3": "Tiny-ImageNet, 3 epochs",
    "tiny_tenth": "a tenth of Tiny-ImageNet",
    "tiny_20_classes": "20 Tiny-ImageNet classes",
    "tiny_noisy": "Tiny-ImageNet, noisy labels",
    "adversarial_strong": "adversarial",
    "cifar10": "CIFAR-10",
    "dtd10": "DTD-10",
    "flowers5": "Flowers-5",
    "animal_silhouettes": "animal silhouettes",
    "clip_art": "clip-art",
    "imagenette": "Imagenette",
    "pets37": "Pets, few-shot",
    "pacs_photo": "PACS photo",
    "pacs_art": "PACS art",
    "pacs_cartoon": "PACS cartoon",
    "intel_scenes": "scenes",
    "mnist_m": "MNIST-M",
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
    kind = name.partition(":")[0]
    return {"folder": "your pictures", "unlabelled": "your pictures", "features": "your features"}.get(
        kind
    ) or NAMES.get(name, name)


SCORE_NAMES = {
    "paper": "relatedness, Euclidean, tau 0.02",
    "calibrated": "relatedness, calibrated",
    "logit": "relatedness, logit",
    "one_sided": "relatedness, one-sided",
    "logit_in": "logit, certified",
    "one_sided_in": "one-sided, certified",
    "reference_accuracy": "reference accuracy",
    "log_tau": "log calibrated tau",
    "log_width": "log width",
    "log_parameters": "log parameter count",
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
    "euclidean": "relatedness, Euclidean",
    "euclidean_transport": "Euclidean: distribution mismatch",
    "euclidean_reweighted": "Euclidean: re-weighted loss",
    "euclidean_loss": "Euclidean: classifier's loss",
    "one_sided_logit": "relatedness, logit, certified",
    "one_sided_loss": "one-sided: classifier's loss",
    "held_out": "one-sided, held out",
    "held_out_logit": "logit, held out",
    "components_8": "relatedness, 8 components",
    "components_16": "relatedness, 16 components",
    "components_32": "relatedness, 32 components",
    "components_16_loss": "16 components: classifier's loss",
    "knn": "nearest neighbours",
    "probe": "cross-validated probe",
    "otdd": "OTDD",
    "tmi": "TMI",
    "wdje": "WDJE",
    "ncti": "NCTI",
    "static_ranker": "static ranker",
    "permuted": "Euclidean, permuted labels",
    "permuted_transport": "mismatch, permuted labels",
    "effective_rank": "spread of features",
}

# Ways to choose an encoder: the scores of ``rank``, and what the book's rows know beside scores.
WAY_NAMES = SCORE_NAMES | {
    "probe": "cross-validated probe",
    "knn": "k-NN",
    "bound": "certified bound",
    "loss": "loss of the transformed classifier",
    "fine_tuning": "fine-tuning every encoder",
    "static": "best on the other targets",
    "random": "any encoder",
}
WAY_KINDS = {
    **dict.fromkeys(("paper", "calibrated", "logit", "one_sided", "bound", "loss"), "relatedness"),
    **dict.fromkeys(("probe", "knn", "reference_accuracy", "fine_tuning", "static", "random"), "control"),
}  # the others are other metrics


DIRECTIONS = {"own": "own components", "joint": "joint components", "classes": "class discriminants"}


def candidate_name(text: str) -> str:
    """Return what readers call a candidate of the search, such as "own 16 8 in_sample", or "own 16 8 in_sample loss"."""
    directions, number, strength, measure, *loss = text.split()
    part = directions in DIRECTIONS
    features = f"{number} {DIRECTIONS[directions]}" if part else "all features"
    held = ", held out" if measure == "held_out" else ""
    return f"{features}, tau = {strength} / √{'m' if part else 'd'}{held}{': loss' if loss else ''}"
