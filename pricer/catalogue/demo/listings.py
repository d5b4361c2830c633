"""What a listing of the invented shop says: title, description, bullets, details, and the dirt in them."""

import json
import math
from functools import cache

from pricer.catalogue.demo import words
from pricer.catalogue.demo.products import Dice, Product, log_price

CONDITION_WORDS = {
    "new": ("new", "brand new"),
    "renewed": ("renewed", "refurbished"),
    "used": ("used", "pre owned"),
}
BULLET_FORMS = (
    "{label}: {sentence}",
    "{label}: {sentence}",
    "{label} - {sentence}",
    "【{label}】{sentence}",
    "{sentence}",
)
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def write_listing(product: Product, dice: Dice) -> dict[str, object]:
    """Everything that a listing says, the price and the id apart.

    With dice in the same state, two products that differ in colour or size have listings that differ in that word
    alone: so near-duplicates are made.
    """
    part_number = _part_number(dice)
    vocabulary = _vocabulary(product, dice)
    sentences, bullets = _lengths(dice)
    description = _soiled(_description(product, sentences, vocabulary, dice), dice)
    features = _features(product, bullets, vocabulary, dice)
    category = product.category
    return {
        "main_category": category.name,
        "title": _title(product, part_number, dice),
        "average_rating": round(min(5.0, max(1.0, 4.2 + dice.normal(0.5))), 1),
        "rating_number": int(math.exp(3.2 + dice.normal(1.7))),
        "features": features,
        "description": description,
        "images": [],
        "videos": [],
        "store": product.brand if dice.chance(0.95) else None,
        "categories": [category.label, in_title(product.kind.place), in_title(product.kind.name)],
        "details": _details_form(product, part_number, dice),
        "bought_together": None,
    }


def _part_number(dice: Dice) -> str:
    """A part number of seven characters or more, such as 'KT4817-B'."""
    letters = "ABCDEFGHKLMNPRSTVWX"
    return f"{dice.pick(letters)}{dice.pick(letters)}{dice.whole(1000, 99999)}-{dice.pick(letters)}"


def _lengths(dice: Dice) -> tuple[int, int]:
    """How many sentences and bullets: mostly plenty, in a sixth of the listings next to nothing."""
    if dice.chance(0.17):
        return dice.whole(0, 2), dice.whole(0, 2)
    if dice.chance(0.1):
        return 0, dice.whole(5, 8)
    return 9 + int(20 * dice.uniform() ** 2), dice.whole(0, 6)


def _details_form(product: Product, part_number: str, dice: Dice) -> dict | str:
    """The details as an object, or now and then as nothing or as JSON text."""
    details = _details(product, part_number, dice)
    if dice.chance(0.06):
        return {}
    return json.dumps(details) if dice.chance(0.06) else details


def _soiled(paragraphs: list[str], dice: Dice) -> list[str]:
    """Leave in a description the dirt of the trade: markup, odd white space, other scripts."""
    dirt = dice.uniform()
    if not paragraphs or dirt > 0.17:
        return paragraphs
    if dirt < 0.09:
        return _marked_up(paragraphs, dice)
    if dirt < 0.13:
        space = dice.pick(("  ", " \t", "\u00a0", " \n ", "\u3000"))
        return [paragraph.replace(". ", "." + space) for paragraph in paragraphs]
    foreign = list(dice.pick(words.OTHER_LANGUAGES))
    return foreign * 2 if dirt < 0.14 else [*paragraphs, " ".join(foreign)]


def _marked_up(paragraphs: list[str], dice: Dice) -> list[str]:
    escaped = [paragraph.replace(" and ", " &amp; ").replace("'", "&#39;") for paragraph in paragraphs]
    form = dice.whole(0, 2)
    if form == 0:
        return ["<br /><br />".join(escaped)]
    if form == 1:
        return [f"<p>{paragraph.replace('. ', '.</p><p>')}</p>" for paragraph in escaped]
    return ["<b>Description</b>&nbsp;<ul>" + "".join(f"<li>{paragraph}</li>" for paragraph in escaped) + "</ul>"]


# The words


@cache
def in_title(phrase: str) -> str:
    """Capitalise every word, leaving the rest of it alone.

    >>> in_title("USB flash drive")
    'USB Flash Drive'
    """
    return " ".join(word[:1].upper() + word[1:] for word in phrase.split())


@cache
def capitalised(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]


@cache
def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase.

    >>> with_article("office chair"), with_article("universal office chair")
    ('an office chair', 'a universal office chair')
    """
    sounds_like_vowel = phrase.startswith(("LED", "HDMI")) or phrase[0] in "aeiou"
    return ("an " if sounds_like_vowel and not phrase.startswith(("uni", "uku")) else "a ") + phrase


def _size(product: Product) -> str:
    return f"{product.size:g} {product.kind.scale.unit}" if product.size else ""


def _vocabulary(product: Product, dice: Dice) -> dict[str, object]:
    """What the words in braces of a topic stand for."""
    kind = product.kind
    item = f"{product.grade} {kind.name}" if product.grade else kind.name
    condition = dice.pick(CONDITION_WORDS[product.condition])
    user = dice.pick(words.USERS)
    return {
        "brand": product.brand,
        "kind": kind.name,
        "item": item,
        "an_item": with_article(item),
        "An_item": capitalised(with_article(item)),
        "material": product.material,
        "Material": capitalised(product.material),
        "colour": product.colour,
        "Colour": capitalised(product.colour),
        "size": _size(product),
        "pack": product.pack,
        "condition": condition,
        "Condition": capitalised(condition),
        "place": kind.place,
        "job": kind.job,
        "user": user,
        "User": capitalised(user),
        "other_user": dice.pick(words.USERS),
        "adjective": dice.pick(words.ADJECTIVES),
        "years": dice.whole(2, 5),
    }


def _sentence(topic: words.Topic, dice: Dice) -> str:
    return f"{dice.pick(topic.starts)} {dice.pick(topic.middles)} {dice.pick(topic.ends)}"


def _telling_sentences(product: Product, dice: Dice) -> list[str]:
    """The sentences that speak of what decides the price, the opening first."""
    told = [_sentence(words.MATERIAL, dice)]
    if product.size:
        told.append(_sentence(words.SIZE, dice))
    if product.pack > 1:
        told.append(_sentence(words.PACK, dice))
    if product.condition != "new":
        told.append(_sentence(words.CONDITION, dice))
    told += [_sentence(words.EXTRA, dice).replace("{extra}", extra) for extra in product.extras]
    turn = dice.whole(0, len(told) - 1)
    return [_sentence(words.OPENING, dice), *told[turn:], *told[:turn]]


def _description(product: Product, count: int, vocabulary: dict, dice: Dice) -> list[str]:
    """A description of `count` sentences in paragraphs."""
    if count == 0:
        return []
    sentences = _telling_sentences(product, dice)[:count]
    sentences += [_sentence(dice.pick(words.OTHER_TOPICS), dice) for _ in range(count - len(sentences))]
    length = dice.whole(3, 9)
    paragraphs = [" ".join(sentences[start : start + length]) for start in range(0, count, length)]
    return "\n".join(paragraphs).format_map(vocabulary).split("\n")


def _features(product: Product, count: int, vocabulary: dict, dice: Dice) -> list[str]:
    """A list of `count` bullets, most of them headed by a label."""
    if count == 0:
        return []
    form = dice.pick(BULLET_FORMS)
    topics = [words.MATERIAL, dice.pick(words.OTHER_TOPICS), dice.pick(words.OTHER_TOPICS), words.OPENING]
    if product.size:
        topics.insert(0, words.SIZE)
    if product.pack > 1:
        topics.insert(0, words.PACK)
    bullets = [_bullet(topic, form, dice) for topic in topics]
    for extra in product.extras:
        bullet = _bullet(words.EXTRA, form, dice)
        bullets.insert(1, bullet.replace("{extra}", extra).replace("{Extra}", capitalised(extra)))
    return "\n".join(bullets[:count]).format_map(vocabulary).split("\n")


def _bullet(topic: words.Topic, form: str, dice: Dice) -> str:
    return form.format(label=dice.pick(topic.labels), sentence=_sentence(topic, dice))


def _title(product: Product, part_number: str, dice: Dice) -> str:
    """A title in the manner of the big shops: name, kind, and a string of what it has."""
    kind = product.kind
    name = [product.brand] if dice.chance(0.9) else []
    if dice.chance(0.4):
        name.append(dice.pick(words.SERIES))
    if dice.chance(0.3):
        name.append(part_number)
    name.append(in_title(product.grade))
    if dice.chance(0.6):
        name.append(in_title(product.material))
    name.append(in_title(kind.name))
    tail = [f"with {in_title(extra)}" for extra in product.extras if dice.chance(0.75)]
    if product.size:
        tail.append(in_title(_size(product)))
    if product.pack > 1:
        tail.append(dice.pick(("Pack of {}", "{} Pack", "({} Count)")).format(product.pack))
    if dice.chance(0.35):
        tail.append(f"for {in_title(kind.place)}")
    if dice.chance(0.6):
        tail.append(in_title(product.colour))
    if product.condition != "new":
        tail.append(f"({in_title(product.condition)})")
    core = " ".join(part for part in name if part)
    return dice.pick((", ", ", ", " - ", " | ", " ")).join([core, *tail])


# The details


def weight_pounds(product: Product, dice: Dice) -> float:
    """The weight of a product: it grows with size, pack and a heavy material."""
    relative_size = product.size / product.kind.scale.typical if product.size and product.kind.elasticity else 1.0
    heavy = 1.3 if product.material in ("cast iron", "carbon steel", "stainless steel", "brass") else 1.0
    return product.kind.pounds * relative_size**0.6 * product.pack * heavy * math.exp(dice.normal(0.2))


def _weight_words(pounds: float, dice: Dice) -> str:
    if dice.chance(0.05):
        return f"{pounds * 0.4536:.2f} Kilograms"
    if pounds < 1:
        return f"{pounds * 16:.1f} ounces"
    return f"{pounds:.1f} pounds" if dice.chance(0.7) else f"{pounds:.2f} Pounds"


def _dimension_words(pounds: float, dice: Dice) -> str:
    edge = 6 * pounds ** (1 / 3)
    sides = (edge * math.exp(dice.normal(0.3)) for _ in range(3))
    return " x ".join(f"{side:.1f}" for side in sides) + " inches"


def _details(product: Product, part_number: str, dice: Dice) -> dict[str, object]:
    pounds = weight_pounds(product, dice)
    worth = log_price(product) - product.noise  # the rank must not tell what no listing tells
    rank = int(math.exp(10.6 + dice.normal(1.6) + 0.15 * worth)) + 1
    date = f"{dice.pick(MONTHS)} {dice.whole(1, 28)}, {dice.whole(2009, 2023)}"
    size = _size(product)
    electric = product.category.name in ("Electronics", "Cell_Phones_and_Accessories")
    entries = (
        (0.85, "Brand", product.brand),
        (0.75, "Manufacturer", product.brand if dice.chance(0.8) else f"{product.brand} Trading Ltd."),
        (0.85, "Item Weight", _weight_words(pounds, dice)),
        (0.60, "Product Dimensions", _dimension_words(pounds, dice)),
        (0.15, "Package Dimensions", _dimension_words(pounds * 1.3, dice)),
        (0.50, "Item model number", part_number),
        (0.50, "Material", capitalised(product.material)),
        (0.55, "Color", in_title(product.colour)),
        (0.45 if size else 0.0, "Size", size),
        (0.40 if product.pack > 1 else 0.1, "Number of Items", str(product.pack)),
        (0.80, "Best Sellers Rank", {product.category.label: rank, in_title(product.kind.name): rank // 90 + 1}),
        (0.80, "Date First Available", date),
        (0.50 if electric else 0.1, "Batteries Included?", dice.pick(("Yes", "No"))),
        (0.50 if electric else 0.1, "Batteries Required?", dice.pick(("Yes", "No"))),
        (0.35, "Is Discontinued By Manufacturer", "No" if dice.chance(0.9) else "Yes"),
    )
    return {name: value for probability, name, value in entries if dice.chance(probability)}
