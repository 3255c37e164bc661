"""Mixed model across models: a random intercept for each family."""

import warnings
from collections.abc import Sequence

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from paraspec.stats.association import FLAT, NO_VARIANCE, TOO_FEW, Association
from paraspec.stats.bootstrap import TAIL, FloatArray
from paraspec.stats.tails import Student

ONE_FAMILY = "fewer than 2 families"
SINGULAR = "singular fit: no variance between families beyond that within"
NOT_CONVERGED = "the fit did not converge"
NO_FREEDOM = "no degrees of freedom for the fixed effects"


def mixed_model(
    y: FloatArray, fixed: FloatArray, families: Sequence[str]
) -> list[Association]:
    """Fixed effects of ``y ~ fixed + (1 | family)``, in the order of the columns.

    Parameters
    ----------
    y
        Effect of each model.
    fixed
        Axes: model, predictor; an intercept is added.
    families
        Family of each model.

    Notes
    -----
    Restricted maximum likelihood (statsmodels MixedLM), Wald interval. With few
    families its error is too small: descriptive then.
    """
    n = fixed.shape[1]
    fault = _fault(y, fixed, families)
    if fault:
        return [Association(reason=fault)] * n
    found = _fit(y, fixed, families)
    if isinstance(found, str):
        return [Association(reason=found)] * n
    return [_wald(*found, i) for i in range(n)]


def _fault(y: FloatArray, fixed: FloatArray, families: Sequence[str]) -> str:
    columns = [y, *fixed.T]
    if len(y) < 3:
        return TOO_FEW
    if not all(np.isfinite(column).all() for column in columns):
        return "undefined for a model"
    if any(np.ptp(column) <= FLAT for column in columns):
        return NO_VARIANCE
    if len(set(families)) < 2:
        return ONE_FAMILY
    return NO_FREEDOM if len(y) - fixed.shape[1] - 1 < 1 else ""


def _fit(
    y: FloatArray, fixed: FloatArray, families: Sequence[str]
) -> tuple[FloatArray, FloatArray] | str:
    """Coefficients of the predictors and their standard errors, or what went wrong."""
    scale = fixed.std(axis=0)
    design = sm.add_constant((fixed - fixed.mean(axis=0)) / scale)
    model = sm.MixedLM(y / y.std(), design, groups=np.asarray(families))
    with warnings.catch_warnings():
        # Warnings of the optimiser; what they mean is asked of the result below.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        try:
            fit = model.fit(reml=True, method=OPTIMISER)
            slopes, errors = fit.fe_params[1:], fit.bse_fe[1:]
        except (np.linalg.LinAlgError, ValueError):
            return NOT_CONVERGED
    if not fit.converged:
        return NOT_CONVERGED
    if not float(np.ravel(fit.cov_re)[0]) > NO_BETWEEN * float(fit.scale):
        return SINGULAR
    put = y.std() / scale
    if not np.isfinite([slopes, errors]).all():
        return NOT_CONVERGED
    return slopes * put, errors * put


OPTIMISER = "powell"
"""The only one of SciPy's that finds an optimum at the boundary (no variance between
families); those that follow gradients stop short of it or fail."""

NO_BETWEEN = 1e-6
"""Variance between families, as a share of that within, which is none: an optimum at
the boundary stops about there."""


def _wald(values: FloatArray, errors: FloatArray, i: int) -> Association:
    value, error = float(values[i]), float(errors[i])
    half_width = float(stats.norm.isf(TAIL)) * error
    p = float(2 * stats.norm.sf(abs(value) / error))
    return Association(
        value,
        value - half_width,
        value + half_width,
        p,
        "Wald, REML",
        tails=Student(value, error),
    )
