"""Constants of the method, each with its source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExactSettings:
    """Settings of the exact method; none of them can make the bound wrong, only looser or slower."""

    map_starts: int = 100  # our choice: random starts of the class-map search
    map_keep: int = 6  # our choice: class maps that are compared on a part of the samples
    map_classes: int = 300  # our choice: cap on map_keep x number of target classes
    map_work: int = 300_000_000  # our choice: work of that search, in swaps times K^3
    probe_samples: int = 500  # our choice: samples of a task on which class maps are compared
    probe_rounds: int = 3  # our choice: rounds after which they are compared
    solve_keep: int = 2  # our choice: class maps that are solved on all samples
    rounds: int = 12  # our choice: alternations of exact plans and Procrustes
    patience: int = 1  # our choice: rounds without a lower bound before stopping
    head_gap: float = 2.5e-4  # our choice: distance of h_R's loss to the best head's, as a fraction of log K
    full_turn: int = 256  # our choice: features up to this wide are turned in all directions
    leading: int = 128  # our choice: wider ones in this many leading directions only
    pull_back_rounds: int = (
        4  # our choice: alternations of exact plans and steps on the pull-back, per metric
    )
    pull_back_steps: int = 40  # our choice: subgradient steps on a pull-back per round
    pull_back_work: int = 1_000_000_000  # our choice: cap on steps x samples x entries of such a round
    pull_back_size: float = 0.02  # our choice: size of these steps, relative to the scale of the entries
    joint_rounds: int = 12  # our choice: alternations of exact plans and steps on head and pull-back
    joint_steps: int = 30  # our choice: such steps per round
    joint_work: int = 5_000_000_000  # our choice: cap on steps x samples x entries of all rounds
    joint_size: float = 0.08  # our choice: size of these steps, relative to the scale of what moves
    least_steps: int = 20  # our choice: steps that are taken whatever the caps on work say
    second_sources: int = 3  # our choice: soft label maps that are tried
    slack: float = 4e-4  # our choice: a relative decrease below this is no progress
    held_out_reference: float = 0.4  # first study: fraction of the reference that measures
    held_out_target: float = 0.3  # first study: fraction of the target that measures
    pseudo_rounds: int = 8  # our choice: alternations of fit and pseudo-labels


@dataclass(frozen=True)
class GradientSettings:
    """Settings of the authors' objective at large scale (their ResNet-18 scripts)."""

    steps: int = 2001  # authors' code
    batch: int = 1000  # authors' code
    lr: float = 1e-2  # authors' code: A, A_inv, b, B
    lr_prior: float = 1e-3  # authors' code: D
    label_cost: float = 1e6  # authors' code: LAMBDA
    weight_transport: float = 2.0  # authors' code
    weight_prior: float = 1.0  # authors' code
    weight_inverse: float = 1.0  # authors' code
    squared: bool = True  # authors' code: the objective squares the cost that its plan was solved for
    soft_prior: bool = True  # authors' code: a soft-max over a prior that is a probability vector already
