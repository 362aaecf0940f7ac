"""A second definition of every metric, from its formula by another route: loops, dense inverses, linear programmes."""

import warnings
from functools import cache
from itertools import permutations

import mpmath
import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.optimize import linprog, minimize
from scipy.special import log_softmax, softmax
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.mixture import GaussianMixture

from taskrel_core import Task
from taskrel_core.metrics.probe import folds_of


def logme(target, reference, posteriors):
    """The Gaussian density of the labels, covariance ZZ'/a + I/b, climbed in (log a, log b) without a derivative."""
    z, y = target.z.numpy(), target.labels.numpy()
    n, values = len(z), []
    axes, sizes, _ = np.linalg.svd(z)
    sizes = np.where(sizes > 1e-12 * sizes[0], sizes, 0.0)
    power = np.append(sizes, np.zeros(n - len(sizes))) ** 2
    for label in range(target.n_classes):
        turned = (axes.T @ (y == label)) ** 2

        def loss(logs, turned=turned):
            variance = power * np.exp(-logs[0]) + np.exp(-logs[1])
            return 0.5 * (np.log(2 * np.pi * variance) + turned / variance).sum() / n

        starts = [(a, b) for a in (-3.0, 3.0, 9.0) for b in (0.0, 3.0)]
        options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 5000, "maxfev": 5000}
        found = [minimize(loss, s, method="Nelder-Mead", options=options).fun for s in starts]
        found.append(0.5 * (np.log(2 * np.pi * (y == label).mean()) + 1))  # a -> inf: noise alone
        if power.min() > 0:  # b -> inf: interpolation
            scale = (turned / power).mean()
            found.append(0.5 * (np.log(2 * np.pi * scale * power).mean() + 1))
        values.append(-min(found))
    return np.mean(values)


def leep(target, reference, posteriors):
    """Sample by sample, source class by source class."""
    y, n, total = target.labels.tolist(), len(target), 0.0
    for i in range(n):
        expected = 0.0
        for source in range(posteriors.shape[1]):
            mass = sum(posteriors[j, source] for j in range(n))
            same = sum(posteriors[j, source] for j in range(n) if y[j] == y[i])
            expected += posteriors[i, source] * same / mass
        total += np.log(expected)
    return total / n


def nce(target, reference, posteriors):
    """H(Z) - H(Y, Z) from counts."""
    pairs = list(zip(target.labels.tolist(), posteriors.argmax(1).tolist(), strict=True))

    def entropy(items):
        shares = np.array([items.count(item) for item in set(items)]) / len(items)
        return -(shares * np.log(shares)).sum()

    return entropy([source for _, source in pairs]) - entropy(pairs)


def pactran(target, reference, posteriors, lam=1.0, prior=100.0):
    """Newton's method with the whole Hessian, whose diagonal is then the curvature, sample by sample."""
    z, y = target.z.numpy(), target.labels.numpy()
    (n, d), k = z.shape, target.n_classes
    unit = np.abs(z - z.mean(0)).max()  # with features in this unit the ridge is smaller by its square
    x = np.hstack([(z - z.mean(0)) / unit, np.ones((n, 1))])
    ridge = np.repeat([1 / (lam * n * unit**2)] * d + [0.0], k)

    def loss(theta):
        log_p = log_softmax(x @ theta.reshape(d + 1, k), axis=1)
        return -log_p[np.arange(n), y].mean() + 0.5 * (ridge * theta**2).sum(), np.exp(log_p)

    theta = np.zeros((d + 1) * k)
    for _ in range(100):
        value, p = loss(theta)
        slope = (x.T @ (p - np.eye(k)[y]) / n).ravel() + ridge * theta
        if np.abs(slope).max() < 1e-13:
            break
        spread = np.einsum("ni,ij->nij", p, np.eye(k)) - np.einsum("ni,nj->nij", p, p)
        hessian = np.einsum("na,nij,nb->aibj", x, spread, x).reshape(len(theta), -1) / n + np.diag(ridge)
        step = np.linalg.lstsq(hessian, slope, rcond=1e-14)[0]
        size = 1.0
        while size > 1e-6 and loss(theta - size * step)[0] > value:
            size /= 2
        theta = theta - size * step
    value, p = loss(theta)
    assert np.abs((x.T @ (p - np.eye(k)[y]) / n).ravel() + ridge * theta).max() < 1e-11
    x = np.hstack([unit * x[:, :-1], x[:, -1:]])
    curvature = sum(np.kron(x[i] ** 2, p[i] * (1 - p[i])).sum() for i in range(n)) + k * d / (lam * n)
    s2 = prior / d
    return value + k * d / (2 * lam * n) * s2 * np.log(lam * n / (k * d) * curvature + 1e-10)


def sfda(target, reference, posteriors):
    """As released, by the generalised eigenproblem where float64 can and by 60 digits where the ridge is tiny."""
    x, y = target.z.numpy(), target.labels.numpy()
    d, k = x.shape[1], target.n_classes
    prior = np.bincount(y) / len(y)

    def scatter(x):
        return sum(prior[c] * np.cov(x[y == c].T, bias=True) for c in range(k))

    v = scatter(x).sum(1)
    for _ in range(3):
        w = scatter(x) @ v / np.linalg.norm(scatter(x) @ v)
        v = scatter(x) @ w / np.linalg.norm(scatter(x) @ w)
    shrinkage = max(np.exp(-5 * v @ scatter(x) @ w), 1e-10)

    def probabilities(x):
        shrunk = (1 - shrinkage) * scatter(x) + shrinkage * np.trace(scatter(x)) / d * np.eye(d)
        means = np.array([x[y == c].mean(0) for c in range(k)])
        if shrinkage < 1e-6:
            with mpmath.workdps(60):
                solved = mpmath.lu_solve
                coefficients = np.array(
                    [[float(e) for e in solved(mpmath.matrix(shrunk), mpmath.matrix(mean))] for mean in means]
                )
        else:
            total = (1 - shrinkage) * np.cov(x.T, bias=True)
            total += shrinkage * np.trace(np.cov(x.T, bias=True)) / d * np.eye(d)
            _, vectors = scipy.linalg.eigh(total - shrunk, shrunk)
            coefficients = means @ vectors @ vectors.T
        return softmax(x @ coefficients.T - (coefficients * means).sum(1) / 2 + np.log(prior), axis=1)

    q = softmax(probabilities(x), axis=1)
    means = np.array([x[y == c].mean(0) for c in range(k)])
    mixed = x.copy()
    for i, c in enumerate(y):
        mixed[i] = q[i, c] * x[i] + (1 - q[i, c]) * np.delete(means, c, axis=0).mean(0)
    return probabilities(mixed)[np.arange(len(y)), y].mean()


def covariances(target):
    """Covariances over n - 1 of the features and of their class means."""
    z, y = target.z.numpy(), target.labels.numpy()
    means = np.array([z[y == c].mean(0) for c in range(target.n_classes)])
    return np.cov(z.T), np.cov(means[y].T)


def hscore(target, reference, posteriors):
    """With the pseudo-inverse of the covariance."""
    whole, between = covariances(target)
    return np.trace(np.linalg.pinv(whole, rcond=1e-10, hermitian=True) @ between)


def hscore_shrunk(target, reference, posteriors):
    """With the shrinkage of Ledoit and Wolf from its definition, one outer product a sample."""
    x = (target.z - target.z.mean(0)).numpy()
    n, d = x.shape
    sample = sum(np.outer(row, row) for row in x) / n
    level = np.trace(sample) / d
    distance = ((sample - level * np.eye(d)) ** 2).sum()
    noise = sum(((np.outer(row, row) - sample) ** 2).sum() for row in x) / n**2
    a = min(noise / distance, 1.0)
    shrunk = (1 - a) * sample + a * level * np.eye(d)
    return np.trace(np.linalg.inv(shrunk) @ ((1 - a) * covariances(target)[1]))


def squared_distances(target, reference):
    """Of all pairs, rows for the reference."""
    return ((reference.z[:, None] - target.z[None]) ** 2).sum(-1).numpy()


def cheapest_plan(cost):
    """The exact transport of uniform weights as a linear programme over all pairs."""
    m, n = cost.shape
    rows = scipy.sparse.kron(scipy.sparse.eye(m), np.ones((1, n)))
    columns = scipy.sparse.kron(np.ones((1, m)), scipy.sparse.eye(n))
    marginals = np.concatenate([np.full(m, 1 / m), np.full(n, 1 / n)])
    found = linprog(cost.ravel(), A_eq=scipy.sparse.vstack([rows, columns]), b_eq=marginals, method="highs")
    return found.x.reshape(m, n)


def coupling(target, reference):
    """Cost of the exact transport, and H(Y_r, Y) - H(Y_r)."""
    cost = squared_distances(target, reference)
    plan = cheapest_plan(cost)
    joint = np.zeros((reference.n_classes, target.n_classes))
    np.add.at(joint, (reference.labels.numpy()[:, None], target.labels.numpy()[None]), plan)

    def entropy(shares):
        return -(shares[shares > 1e-15] * np.log(shares[shares > 1e-15])).sum()

    return (plan * cost).sum(), entropy(joint) - entropy(joint.sum(1))


def ot_nce(target, reference, posteriors):
    """From the linear programme."""
    return -coupling(target, reference)[1]


def otce(target, reference, posteriors):
    """Without auxiliary tasks it is OT-NCE."""
    return ot_nce(target, reference, posteriors)


def nleep(target, reference, posteriors):
    """The mixture's parameters are taken as found; reduction, responsibilities and LEEP are done here."""
    order = sorted(range(len(target)), key=target.z.tolist().__getitem__)  # what the seed starts from
    z, y = target.z.numpy()[order], target.labels[order]
    x = z - z.mean(0)
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    kept = int(np.argmax(np.cumsum(sizes**2) > 0.8 * (sizes**2).sum())) + 1
    x = left[:, :kept] * sizes[:kept]
    x = x * np.sqrt(x.size / (x**2).sum())
    m = max(min(5 * target.n_classes, len(z) // 10), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = GaussianMixture(m, covariance_type="diag", random_state=0).fit(x)
    parts = zip(fitted.weights_, fitted.means_, fitted.covariances_, strict=True)
    density = np.array([w * multivariate_normal(mean, np.diag(v)).pdf(x) for w, mean, v in parts]).T
    return leep(Task(z, y, target.n_classes), reference, density / density.sum(1, keepdims=True))


def transrate(target, reference, posteriors):
    """Log-determinants in d dimensions."""
    x, y = (target.z - target.z.mean(0)).numpy(), target.labels.numpy()

    def rate(x):
        return 0.5 * np.linalg.slogdet(np.eye(x.shape[1]) + x.T @ x / (len(x) * 1e-4))[1]

    return rate(x) - np.mean([rate(x[y == c]) for c in range(target.n_classes)])


def gbc(target, reference, posteriors, diagonal=False, pca=64):
    """Pair by pair, feature by feature."""
    x, y = (target.z - target.z.mean(0)).numpy(), target.labels.numpy()
    if pca < min(x.shape):
        x = x @ np.linalg.eigh(x.T @ x)[1][:, -pca:]
    groups = [x[y == c] for c in range(target.n_classes)]
    total = 0.0
    for one, other in permutations(groups, 2):
        shift = one.mean(0) - other.mean(0)
        s, t = one.var(0), other.var(0)
        if not diagonal:
            s, t = max(s.mean(), 1e-4), max(t.mean(), 1e-4)
            total -= np.exp(-(shift @ shift) / (4 * (s + t))) / np.sqrt((s + t) / 2 / np.sqrt(s * t))
            continue
        s, t = np.diag(np.maximum(s, 1e-4)), np.diag(np.maximum(t, 1e-4))
        half = (s + t) / 2
        ratio = np.linalg.slogdet(half)[1] - (np.linalg.slogdet(s)[1] + np.linalg.slogdet(t)[1]) / 2
        total -= np.exp(-shift @ np.linalg.inv(half) @ shift / 8 - ratio / 2)
    return total


def otdd(target, reference, posteriors):
    """With square roots of whole covariance matrices, in a unit in which the linear programme is at ease."""
    unit = float(squared_distances(target, reference).max()) ** 0.5
    target, reference = (Task(task.z / unit, task.y, task.n_classes) for task in (target, reference))

    def root(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T

    def moments(task, label):
        x = task.z[task.labels == label].numpy()
        return x.mean(0), np.atleast_2d(np.cov(x.T, bias=True))

    @cache
    def apart(one, other):
        (m, s), (m2, s2) = moments(reference, one), moments(target, other)
        return ((m - m2) ** 2).sum() + np.trace(s + s2 - 2 * root(root(s) @ s2 @ root(s)))

    cost = squared_distances(target, reference)
    for i, one in enumerate(reference.labels.tolist()):
        for j, other in enumerate(target.labels.tolist()):
            cost[i, j] += apart(one, other)
    return (cheapest_plan(cost) * cost).sum() * unit**2


def knn(target, reference, posteriors):
    """Sample by sample, five neighbours; ties of votes by counting."""
    total = 0.0
    for i, label in enumerate(target.labels.tolist()):
        distances = [
            (float((z - target.z[i]).norm()), int(y)) for z, y in zip(target.z, target.labels, strict=True)
        ]
        del distances[i]
        voters = [y for _, y in sorted(distances)[:5]]
        top = [y for y in set(voters) if voters.count(y) == max(map(voters.count, voters))]
        total += (label in top) / len(top)
    return total / len(target)


def probe(target, reference, posteriors):
    """By L-BFGS from another start; the folds are taken as found."""
    y, k = target.labels.numpy(), target.n_classes
    fold, right = folds_of(target.z.numpy(), y, 5, 0), 0
    x = ((target.z - target.z.mean(0)) / target.z.std(0, correction=0)).numpy()
    x = np.hstack([x, np.ones((len(x), 1))])
    ridge = np.repeat([1.0] * target.d + [0.0], k) / 0.003
    for part in range(5):
        rows = fold != part

        def loss(theta, rows=rows):
            log_p = log_softmax(x[rows] @ theta.reshape(-1, k), axis=1)
            slope = x[rows].T @ (np.exp(log_p) - np.eye(k)[y[rows]])
            value = -log_p[np.arange(rows.sum()), y[rows]].sum() + 0.5 * (ridge * theta**2).sum()
            return value, slope.ravel() + ridge * theta

        start = np.random.default_rng(0).normal(size=x.shape[1] * k) * 0.03
        options = {"maxiter": 20000, "maxfun": 40000, "ftol": 0.0, "gtol": 1e-9}
        found = minimize(loss, start, method="L-BFGS-B", jac=True, options=options).x
        right += ((x[~rows] @ found.reshape(-1, k)).argmax(1) == y[~rows]).sum()
    return right / len(y)


def tmi(target, reference, posteriors, neighbours=3, floor=1.0):
    """Sample by sample; digamma(n) - digamma(k) is the sum of 1/k .. 1/(n - 1)."""
    total = 0.0
    for c in range(target.n_classes):
        members = target.z[target.labels == c].numpy()
        n, k = len(members), min(neighbours, len(members) - 1)
        for i in range(n if k else 0):
            others = sorted(np.abs(members[i] - members[j]).max() for j in range(n) if j != i)
            total += sum(1 / j for j in range(k, n)) + target.d * np.log(2 * max(others[k - 1], floor))
    return total / len(target)


def collapse(target):
    """Discriminant axes and probabilities of NCTI: scikit-learn's without shrinkage, else the formula in 50 digits."""
    z, y, k = target.z.numpy(), target.labels.numpy(), target.n_classes
    values, vectors = np.linalg.eigh(np.cov(z.T))
    varied = values > 1e-12 * values.max()
    x = (z - z.mean(0)) @ vectors[:, varied][:, ::-1][:, :64]
    spread = values[varied][::-1][:32].sum()
    if np.exp(-spread) <= 1e-10:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # collinear within classes
            fitted = LinearDiscriminantAnalysis(solver="svd").fit(x, y)
        return fitted.transform(x), fitted.predict_proba(x)
    with mpmath.workdps(50):
        s, d = mpmath.exp(-mpmath.mpf(float(spread))), x.shape[1]

        def shrunk(scatter):
            scatter = mpmath.matrix(scatter.tolist())
            return (1 - s) * scatter + s * sum(scatter[i, i] for i in range(d)) / d * mpmath.eye(d)

        groups = [x[y == c] for c in range(k)]
        inside = shrunk(sum(len(g) / len(x) * np.atleast_2d(np.cov(g.T, bias=True)) for g in groups))
        root = mpmath.inverse(mpmath.cholesky(inside))
        order, axes = mpmath.eigsy(root * (shrunk(np.atleast_2d(np.cov(x.T, bias=True))) - inside) * root.T)
        largest = sorted(range(d), key=lambda i: -order[i])[: k - 1]
        turned = np.array((root.T * axes).tolist(), dtype=float)
    means = np.array([g.mean(0) for g in groups]) @ turned
    logits = x @ turned @ means.T - (means**2).sum(1) / 2 + np.log([len(g) / len(x) for g in groups])
    return (x @ turned)[:, largest], softmax(logits, axis=1)


def ncti_ncc(target, reference, posteriors):
    """From the probabilities."""
    return np.take_along_axis(collapse(target)[1], target.labels.numpy()[:, None], 1).mean()


def ncti_seli(target, reference, posteriors):
    """The nuclear norm is the trace of the square root of the Gram matrix."""
    low = collapse(target)[0]
    low = low - low.mean(0)
    return np.sqrt(np.maximum(np.linalg.eigvalsh(low.T @ low), 0)).sum()


def ncti_vc(target, reference, posteriors):
    """From the probabilities, class by class."""
    p, y = collapse(target)[1], target.labels.numpy()
    return -np.log(sum(np.linalg.norm(p[y == c], "nuc") for c in range(target.n_classes)))


def wdje(target, reference, posteriors, strength=0.5):
    """By linear programmes, for the labels too; the singular value from the Gram matrix."""
    error, k, n = 1 - probe(reference, None, None), target.n_classes, len(target)
    unit = [
        Task(task.z / task.z.norm(dim=1, keepdim=True), task.y, task.n_classes)
        for task in (target, reference)
    ]
    cost = squared_distances(*unit)
    of_features = (cheapest_plan(cost) * cost).sum()
    lipschitz = np.linalg.eigvalsh((unit[0].z @ unit[0].z.T).numpy())[-1] ** 0.5 * (k - 1) / (k * n)
    ranks = [np.argsort(np.argsort(-np.bincount(t.labels), kind="stable"))[t.labels] for t in unit]
    unlike = 2.0 * (ranks[1][:, None] != ranks[0][None])
    of_labels = (cheapest_plan(unlike) * unlike).sum()
    return error + lipschitz * strength * of_features + of_labels + lipschitz * np.log(k) * np.exp(-strength)


DEFINITIONS = {
    f.__name__: f
    for f in (
        *(logme, leep, nce, pactran, sfda, hscore, hscore_shrunk, ot_nce, otce, nleep, transrate, gbc),
        *(otdd, knn, probe, tmi, ncti_ncc, ncti_seli, ncti_vc, wdje),
    )
}
