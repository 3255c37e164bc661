"""The page's methods box: definitions, and where the study departs from the paper."""

from markupsafe import Markup

from paraspec.core.config import StudyConfig
from paraspec.core.definitions import (
    KNOWN_ACCURACY,
    PRIMARY_RATIO,
    PRIMARY_RATIO_SMALL,
    SMALL_PARAMETERS,
)
from paraspec.report.numbers import count, listed, percent


def definitions(config: StudyConfig) -> list[tuple[str, Markup | str]]:
    """Terms and what they mean here."""
    measure = config.measure
    return [
        *_vectors(),
        (
            "General questions",
            f"{measure.general_items} per concept, about other concepts: half of the "
            "same category and relations, half of other categories. Questions that "
            "share an entity or an answer with the concept are kept out. Unless said "
            "otherwise, general means same-category.",
        ),
        (
            "Mask ratios",
            f"{listed([percent(r) for r in measure.ratios])} of every layer's value "
            f"vectors; general questions at "
            f"{listed([percent(r) for r in measure.general_ratios])}. "
            f"Pre-registered: {percent(PRIMARY_RATIO)}, and "
            f"{percent(PRIMARY_RATIO_SMALL)} for models below "
            f"{SMALL_PARAMETERS // 10**6} million parameters without embeddings.",
        ),
        *_scores(),
        (
            "Intervals",
            f"95 %, percentile, from {count(config.stats.draws)} resamples of whole "
            "concepts, the same for every model; for means over models from resampling "
            "models and concepts at once. Correlations: as named in their table.",
        ),
        (
            "Known concept, k50",
            f"Known: unmasked accuracy at least {KNOWN_ACCURACY}. k50: the mask ratio "
            "at which a concept's mean margin (gold answer's log-likelihood minus the "
            "best other option's) has halved, after an isotonic fit; a lower bound "
            "where it never halves.",
        ),
    ]


def _vectors() -> list[tuple[str, Markup | str]]:
    return [
        (
            "Value vector, coefficient",
            "An MLP's output is a sum over its value vectors (the columns of the down "
            "projection), each times its coefficient (the down projection's input).",
        ),
        (
            "A concept's top vectors",
            "In every layer those whose mean absolute coefficient over question tokens "
            "is larger on the concept's own questions than on unrelated ones by the "
            "widest margin. Masking sets their coefficients to zero.",
        ),
        (
            "Cross-fitting",
            "Vectors are chosen on one half of a concept's questions and judged on the "
            "other half, both ways. In-sample, the paper's variant, chooses and judges "
            "on the same questions.",
        ),
        (
            "Control masks",
            "Of the same size. Random: drawn by lot, in a mixture of experts as many "
            "of each expert. As active: drawn within bins of mean absolute "
            "coefficient. Another's: the top vectors of another concept, of the same "
            "or of another category. Most active: highest on the concept's own "
            "questions, nothing subtracted. Shuffled labels: chosen after the labels "
            "related and unrelated were dealt out anew: what selection finds in noise.",
        ),
        (
            "Variants of the top mask",
            "In other words: chosen on the natural-language question and judged as "
            "usual. Without outliers: massive activations spared. Set to their mean: "
            "the coefficient becomes its mean over all or over unrelated questions, "
            "where zero might be a value that the model never meets.",
        ),
        (
            "Selectors",
            "Ways of ranking value vectors. Difference: the paper's, above. With norm: "
            "the difference times the vector's length. t-statistic: over questions. "
            "Attribution: coefficient times the gradient of the right answer's margin; "
            "integrated gradients: the same along the way from zero. Last token: "
            "coefficients there alone. Global: over all layers at once.",
        ),
        (
            "Planted facts",
            "New facts written into known value vectors of a trained model: ground "
            "truth for selectors.",
        ),
        (
            "No knowledge",
            "Number agreement and a fixed answer format, asked like concepts; they "
            "enter no statistic but their own.",
        ),
    ]


def _scores() -> list[tuple[str, Markup | str]]:
    s0, s1, g0, g1 = (
        f"<i>{letter}</i><sub>{when}</sub>" for letter in "SG" for when in "01"
    )
    minus = "\N{MINUS SIGN}"
    return [
        (
            "PSS",
            Markup(
                f"|{g1} {minus} {s1}| / {g0}, with accuracies <i>S</i> on the "
                "concept's own and <i>G</i> on general questions, before (0) and after "
                "masking (1). Means over all concepts' items first, then the "
                "difference. It has no sign and a ceiling that rises with accuracy, "
                "and is above zero without any effect."
            ),
        ),
        (
            "Signed effect",
            Markup(
                f"({s0} {minus} {s1}) {minus} ({g0} {minus} {g1}): how much more the "
                "mask costs the concept than others. Zero without specialisation. "
                "Floor-corrected: of accuracies (<i>a</i> "
                f"{minus} <i>f</i>) / (1 {minus} <i>f</i>), where <i>f</i> is what a "
                "predictor scores that knows the relation but not the concept."
            ),
        ),
    ]


def departures(*, trained_here: bool) -> list[str]:
    """Known departures from the paper, and what the paper leaves open."""
    models = (
        "The paper measured twenty published models of 0.5 to 14 billion parameters; "
        "here small models are trained on the facts that they are asked about. A "
        "verdict speaks of these models, not of the published ones."
    )
    asked = (
        "Questions are scored by the likelihood of each option after a statement whose "
        "wording was held out in training."
        if trained_here
        else "Each model is asked as its scorer says; see the model table."
    )
    frequency = (
        "how often a fact was met in training, which was assigned by lot"
        if trained_here
        else "the frequency of the concept's name in English text (Zipf)"
    )
    return [
        *([models] if trained_here else []),
        f"{asked} The paper asked multiple-choice and open questions written by a "
        "language model.",
        "Selection is cross-fitted and general questions come from the same category; "
        "the paper's in-sample variant stands beside it.",
        "A peak over ratios is reported only cross-fitted; claims are judged at the "
        "pre-registered ratio, the one on unrelated questions at 5 and 10 %.",
        f"Frequency is tested on {frequency}, not on page views.",
        "Fine-tuning, semantic entropy and local intrinsic dimension are not part of "
        "this study.",
        "Not determined from what could be read of the paper: its exact models, "
        "prompts and shots, options per question, the ratio grid, whether k is per "
        "layer or global, where general questions come from, whether differences are "
        "signed, the scorer of open answers, seeds and error bars.",
    ]
