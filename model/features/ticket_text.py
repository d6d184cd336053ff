"""What a ticket's text says, by stated rules: workaround, request, topics, mood, the product it asks for.

Workarounds, requests, topics and mood are keyword rules (`wording.py`). Which product a ticket points to is a
plain TF-IDF over the catalogue: a product's terms are the words of its name, its `keywords`, and its topic; a
term weighs ln((1 + products) / (1 + products with it)) + 1, as in scikit-learn's smooth idf; the score is the
cosine between the product's terms and those that stand in the ticket. The best product at or above MIN_SCORE
is the one. Nothing is learnt or downloaded, and `describe` says which words were found.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import ibis
import ibis.expr.types as ir

from model.features.wording import NEGATIVE, POSITIVE, REQUEST, TOPICS, WORKAROUND
from model.product import Product

MIN_SCORE: Final = 0.4  # one of two terms alone is 0.7; one of five, 0.45; a ticket of many topics, less
LACKED: Final = ("module", "addon", "service")  # types of products that a request can be for
TOPIC_TERM: Final = "topic:"
SHORT: Final = 4  # letters; a term so short counts as a whole word only
_WORDS: Final = re.compile(r"[^\W\d_]{3,}")
# Words of product names that say nothing about what the product does.
_EMPTY: Final = frozenset(
    (
        *("add", "addon", "and", "basic", "bundle", "edition", "for", "module", "modul", "pack", "package"),
        *("plan", "plus", "premium", "pro", "product", "service", "services", "suite", "the", "tier"),
        *("upgrade", "with"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """The terms of the catalogue: `idf` by term, and each product's terms with weights of length 1."""

    idf: Mapping[str, float]
    products: Mapping[str, Mapping[str, float]]


@functools.cache
def text_rules(products: tuple[Product, ...]) -> TextRules:
    """The rules of a catalogue; empty for one without a module, add-on or service."""
    terms = {each.id: _terms(each) for each in products if each.type in LACKED}
    held = Counter(term for found in terms.values() for term in found)
    idf = {term: math.log((1 + len(terms)) / (1 + n)) + 1 for term, n in sorted(held.items())}
    weights = {}
    for product, found in terms.items():
        length = math.sqrt(sum(idf[term] ** 2 for term in found))
        if found:
            weights[product] = MappingProxyType({term: idf[term] / length for term in sorted(found)})
    return TextRules(idf=MappingProxyType(idf), products=MappingProxyType(dict(sorted(weights.items()))))


def read_text(tickets: ir.Table, rules: TextRules) -> ir.Table:
    """The tickets with their text as columns, figured once a ticket and not once a row.

    workaround, request, gap (either), about_{topic}, sentiment (−1, 0 or 1) and product (id or null)."""
    subject, body = ibis.coalesce(tickets.subject, ""), ibis.coalesce(tickets.body, "")
    texts = tickets.mutate(text=(subject + " " + body).lower())
    texts = texts.mutate(
        workaround=texts.text.re_search(WORKAROUND),
        request=texts.text.re_search(REQUEST),
        sentiment=texts.text.re_search(POSITIVE).cast("float64")
        - texts.text.re_search(NEGATIVE).cast("float64"),
        **{f"about_{topic}": texts.text.re_search(words) for topic, words in TOPICS.items()},
    )
    return texts.mutate(gap=texts.workaround | texts.request, product=_product(texts, rules)).drop("text")


def describe(subject: str | None, body: str | None, rules: TextRules) -> str:
    """Which rules a ticket meets, by which words, for people: "workaround (by hand); analytics (report)"."""
    text = f"{subject or ''} {body or ''}".lower()
    parts = []
    rules_of_words = {"workaround": WORKAROUND, "request": REQUEST, **TOPICS}
    for name, words in (*rules_of_words.items(), ("positive", POSITIVE), ("negative", NEGATIVE)):
        found = dict.fromkeys(each.group() for each in re.finditer(words, text, re.ASCII))
        if found:
            parts.append(f"{name} ({', '.join(found)})")
    product, score = points_to(text, rules)
    if product is not None:
        parts.append(f"points to {product} ({score:.2f})")
    return "; ".join(parts)


def points_to(text: str, rules: TextRules) -> tuple[str | None, float]:
    """The product that a text in lower case points to, or None, and the best score."""
    there = {term for term in rules.idf if _stands_in(term, text)}
    length = math.sqrt(sum(rules.idf[term] ** 2 for term in there))
    best, most = None, 0.0
    for product, weights in rules.products.items():
        score = sum(weight * rules.idf[term] for term, weight in weights.items() if term in there)
        score = round(score / length, 9) if length else 0.0
        if score > most:
            best, most = product, score
    return (best if most >= MIN_SCORE else None), most


def _product(texts: ir.Table, rules: TextRules) -> ir.StringValue:
    """The same as a column: of the products with the best score, the first by id."""
    if not rules.products:
        return ibis.null("string")
    there = {term: _found(texts, term).cast("float64") for term in rules.idf}
    length = _sum([there[term] * rules.idf[term] ** 2 for term in rules.idf]).sqrt().nullif(0)
    scores = {
        product: (_sum([there[t] * (w * rules.idf[t]) for t, w in weights.items()]) / length).round(9)
        for product, weights in rules.products.items()
    }
    best = ibis.greatest(*scores.values(), MIN_SCORE)
    return ibis.cases(*((score >= best, product) for product, score in scores.items()), else_=None)


def _found(texts: ir.Table, term: str) -> ir.BooleanValue:
    if term.startswith(TOPIC_TERM):
        return texts[f"about_{term.removeprefix(TOPIC_TERM)}"]
    if len(term) > SHORT:
        return texts.text.contains(term)
    return texts.text.re_search(_whole_word(term))


def _stands_in(term: str, text: str) -> bool:
    if term.startswith(TOPIC_TERM):
        return re.search(TOPICS[term.removeprefix(TOPIC_TERM)], text, re.ASCII) is not None
    if len(term) > SHORT:
        return term in text
    return re.search(_whole_word(term), text, re.ASCII) is not None


def _whole_word(term: str) -> str:
    """The term between signs that are no letters of English or digits, whatever its own script is."""
    return rf"(^|[^a-z0-9]){re.escape(term)}($|[^a-z0-9])"


def _terms(product: Product) -> set[str]:
    """What stands for a product in a text: stems of its name, its keywords as they are, its topic."""
    words = {_stem(word) for word in _WORDS.findall(product.name.lower()) if word not in _EMPTY}
    keywords = {" ".join(keyword.lower().split()) for keyword in product.keywords}
    topic = {TOPIC_TERM + product.topic} if product.topic else set()
    return {*words, *keywords, *topic} - {""}


def _stem(word: str) -> str:
    """The word without the ending of a plural, so that it is found in both."""
    return word.removesuffix("s") if len(word) > SHORT else word


def _sum(values: list[ir.NumericValue]) -> ir.NumericValue:
    return functools.reduce(lambda one, other: one + other, values)
