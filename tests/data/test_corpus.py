from collections import Counter, defaultdict

from paraspec.core.table import checked
from paraspec.core.tables.planned import CORPUS
from paraspec.data.corpus import training_sentences
from paraspec.data.study import assign_exposures, held_out_statement, prompt_table


def test_a_fact_is_met_in_every_wording_but_the_held_out_one(made_up):
    concepts = made_up(2)
    levels = assign_exposures(concepts, (8, 2, 1), 0)
    corpus = checked(training_sentences(concepts, levels, 3), CORPUS)
    by_item = corpus.groupby("item")["text"].agg(set)
    for concept in concepts:
        for q in concept.questions:
            answer = q.options[q.gold]
            left_out = held_out_statement(q, 3)
            expected = {
                f"{s} {answer}." for i, s in enumerate(q.statements) if i != left_out
            }
            assert by_item[q.item] == expected
    assert (corpus["exposure"] == corpus["concept"].map(levels)).all()


def test_no_evaluated_prompt_stands_in_the_corpus(made_up):
    concepts = made_up(2)
    corpus = training_sentences(concepts, {c.concept: 1 for c in concepts}, 0)
    texts = corpus["text"].tolist()
    for prefix in prompt_table(concepts, 0)["prefix"]:
        assert not any(text.startswith(f"{prefix} ") for text in texts)


def test_the_held_out_wording_is_met_with_other_concepts(made_up):
    concepts = made_up(3)
    corpus = training_sentences(concepts, {c.concept: 1 for c in concepts}, 0)
    met = defaultdict(Counter)  # wording of a relation: how often it is trained
    trained = set(corpus["text"])
    for c in concepts:
        for q in c.questions:
            for i, s in enumerate(q.statements):
                met[q.relation][i] += f"{s} {q.options[q.gold]}." in trained
    assert all(counts[i] > 0 for counts in met.values() for i in range(5))
    assert sum(sum(counts.values()) for counts in met.values()) == len(corpus)
