"""The sentences of the invented shop: what its listings say, and in which scripts.

A `Topic` makes a sentence from one start, one middle and one end, so a few dozen phrases give thousands of sentences.
Words in braces are filled in by `listings.py` from the product at hand. Everything here is made up.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """Something a listing may talk about: `labels` head a bullet, the rest makes one sentence."""

    labels: tuple[str, ...]
    starts: tuple[str, ...]
    middles: tuple[str, ...]
    ends: tuple[str, ...]


OPENING = Topic(
    ("Made for the job", "Everyday use", "Overview", "What it is for"),
    (
        "The {brand} {item} is made for",
        "Meet the {brand} {item}, ready for",
        "This {material} {item} by {brand} is the right choice for",
        "{An_item} from {brand}, built for",
        "{brand} brings you {an_item} in {material} for",
        "Here is {an_item} that is ready for",
        "Our {material} {item} was planned for",
        "With this {condition} {item}, {brand} has an answer for",
        "{Condition} and checked twice, the {material} {item} is meant for",
        "Look no further than the {brand} {item} for",
    ),
    (
        "{job}",
        "{job}, day after day,",
        "{user} who enjoy {job}",
        "{job} without fuss",
        "anyone busy with {job}",
        "{job} like an expert",
        "{user} and for {job}",
    ),
    (
        "in the {place}.",
        "in any {place}.",
        "at the {place} or away from it.",
        "wherever your {place} happens to be.",
        "in a {adjective} {place}.",
        "from the first day in the {place}.",
        "when the {place} gets busy.",
    ),
)

MATERIAL = Topic(
    ("Good material", "{Material}", "Built to last", "Quality you can feel"),
    (
        "Its {material} body",
        "The {material} construction",
        "Carefully worked {material}",
        "A layer of {adjective} {material}",
        "The {colour} {material} finish",
        "A core of {material}",
        "Thick {material} where it matters",
        "The outer {material}",
    ),
    (
        "stands up to",
        "shrugs off",
        "was chosen to handle",
        "copes well with",
        "holds out against",
        "keeps its shape through",
        "forgives",
    ),
    (
        "years of daily handling.",
        "knocks, drops and rough storage.",
        "damp basements and hot attics.",
        "heat, cold and a little neglect.",
        "constant use in the {place}.",
        "spills, dust and small accidents.",
        "{user} in a hurry.",
        "everything that comes with {job}.",
    ),
)

SIZE = Topic(
    ("Right size", "{size}", "Dimensions that fit", "How big it is"),
    (
        "The {size} size",
        "This {size} version",
        "Rated at {size}, the {kind}",
        "The {size} format",
        "A figure of {size}",
        "Choosing {size}",
    ),
    (
        "suits",
        "is right for",
        "is the usual choice for",
        "leaves nothing wanting for",
        "makes sense for",
        "is plenty for",
    ),
    (
        "most jobs in the {place}.",
        "{user} with little room.",
        "{job} on an ordinary day.",
        "a {adjective} {place}.",
        "larger households and small shops.",
        "people who have measured first.",
        "nearly every {place} we have seen.",
    ),
)

PACK = Topic(
    ("Pack of {pack}", "{pack} in the box", "Good supply", "Value pack"),
    (
        "A pack of {pack}",
        "The set of {pack}",
        "With {pack} in the box, one order",
        "A supply of {pack}",
        "This {pack} pack",
    ),
    ("lasts for", "covers", "is enough for", "sees you through", "takes care of"),
    (
        "a whole season.",
        "the {place} and the one next door.",
        "a year of {job}.",
        "{user} and their neighbors.",
        "the largest {place}.",
        "busy weeks without another order.",
    ),
)

EXTRA = Topic(
    ("{Extra}", "With {extra}", "Thoughtful detail", "The {extra}"),
    (
        "The {extra}",
        "Its {adjective} {extra}",
        "Having the {extra}",
        "The {extra} on this {kind}",
        "As engineers at {brand} like to say, the {extra}",
    ),
    (
        "will do away with",
        "can take care of",
        "should end",
        "will spare you",
        "will cut down on",
        "can put an end to",
    ),
    (
        "wasted minutes.",
        "awkward angles and sore wrists.",
        "guesswork when {job}.",
        "the usual trouble in the {place}.",
        "second attempts.",
        "extra purchases later on.",
        "the worries {user} know well.",
    ),
)

CONDITION = Topic(
    ("Condition", "{Condition}", "As described"),
    (
        "This {kind} is {condition} and",
        "Sold as {condition}, the {kind}",
        "Every {condition} {kind} we sell",
        "Being {condition}, it",
    ),
    ("has been", "was carefully", "was fully", "has lately been"),
    (
        "inspected, cleaned and packed by hand.",
        "tested by two people before shipping.",
        "checked against a list of thirty points.",
        "graded honestly and photographed.",
        "tried out for an hour in our {place}.",
    ),
)

USER = Topic(
    ("For {user}", "Who it is for", "A welcome gift", "Easy to like"),
    (
        "{User}",
        "{User} and {other_user}",
        "Anyone fond of {job}",
        "Even {other_user}",
        "Whoever spends time in the {place}",
        "People new to {job}",
    ),
    (
        "will value",
        "will quickly get used to",
        "will keep coming back for",
        "may thank us for",
        "will notice at once",
        "would seldom give up",
        "should look forward to",
    ),
    (
        "the {adjective} handling.",
        "the plain instructions.",
        "how little room it takes.",
        "the {colour} finish.",
        "its {adjective} look.",
        "the quiet way it works.",
        "the care that went into it.",
        "a design without sharp corners.",
    ),
)

CARE = Topic(
    ("Easy care", "Cleaning", "Simple upkeep"),
    ("Cleaning", "Upkeep", "Looking after the {kind}", "Care of the {material}", "Storage", "Setting it up"),
    ("is a matter of", "takes no more than", "comes down to", "needs only", "asks for", "is done with"),
    (
        "a damp cloth and two minutes.",
        "mild soap and some patience.",
        "a dry shelf in the {place}.",
        "the small key that comes along.",
        "a glance at the printed guide.",
        "warm water once a month.",
        "one hand and no tools at all.",
    ),
)

COMPANY = Topic(
    ("About {brand}", "Our promise", "From our workshop"),
    (
        "At {brand} we",
        "The people of {brand}",
        "Our testers",
        "In our own workshop we",
        "Three generations of makers",
    ),
    ("test", "inspect", "weigh and measure", "sign for", "look twice at", "try out"),
    (
        "every {kind} before it leaves the bench.",
        "one {kind} out of ten for a full day.",
        "all parts that arrive from outside.",
        "each {colour} batch under daylight.",
        "what we would give to our own families.",
        "the packaging as well as the product.",
    ),
)

WARRANTY = Topic(
    ("Warranty", "Worry free", "Service"),
    (
        "A {years} year warranty",
        "Cover for {years} years",
        "Our friendly service",
        "A {years} year promise from {brand}",
    ),
    ("stands behind", "comes with", "goes with", "backs", "takes the risk out of"),
    (
        "every part.",
        "the {kind} and its accessories.",
        "each order, no questions asked.",
        "your purchase from day one.",
        "normal use in the {place}.",
    ),
)

BOX = Topic(
    ("In the box", "What you get", "Package contents"),
    ("In the box you will find", "The carton holds", "Your order contains", "Inside are", "You receive"),
    ("the {kind},", "one {colour} {kind},", "the {item} in {colour},", "your new {kind} by {brand},"),
    (
        "a printed guide and a spare part.",
        "a storage pouch and four screws.",
        "a thank you card and a cleaning cloth.",
        "all fittings and a drawing of them.",
        "one set of stickers and the warranty card.",
        "foam corners and a packing list.",
    ),
)

NOTE = Topic(
    ("Please note", "Before you order", "Good to know"),
    (
        "Please note that",
        "Before you order, remember that",
        "Bear in mind that",
        "We want you to know that",
        "Kindly check, because",
    ),
    (
        "colors on a screen",
        "measurements taken by hand",
        "the accessories in the pictures",
        "delivery times in winter",
        "fittings of older models",
        "labels on the carton",
    ),
    (
        "may differ a little.",
        "are not always exact.",
        "vary from one region to another.",
        "can change without notice.",
        "depend on the season.",
    ),
)

COMPARISON = Topic(
    ("What is new", "Improved", "The difference"),
    (
        "Compared with the previous version,",
        "Unlike many rivals,",
        "Next to a cheaper {kind},",
        "After forty prototypes,",
        "Since the last season,",
    ),
    ("this one is", "this {kind} is", "the {brand} is", "the current model is", "our {item} is"),
    (
        "quieter and easier to keep clean.",
        "lighter by a good margin.",
        "{adjective} and a little flatter.",
        "steadier on an uneven floor.",
        "simpler to repair at home.",
        "better protected at the corners.",
        "more pleasant to hold.",
    ),
)

STYLE = Topic(
    ("Looks good", "{Colour}", "Style"),
    (
        "In {colour},",
        "With its {adjective} lines,",
        "Dressed in {colour},",
        "Plain as it is,",
        "Seen beside the window,",
    ),
    (
        "the {kind} fits into",
        "it belongs in",
        "this piece brightens",
        "the {item} settles into",
        "it is made to suit",
    ),
    (
        "any {place}.",
        "a modern or a rustic home.",
        "rooms of every size.",
        "the place where {user} meet.",
        "the {place} you already have.",
        "old houses and new ones.",
    ),
)

SCENE = Topic(
    ("A day in the {place}", "Imagine", "Where it shines"),
    ("On a Monday morning", "After a long day", "When guests arrive", "During the first cold week", "Late in summer"),
    (
        "the {kind} waits in",
        "it earns its keep in",
        "nothing feels better in",
        "the {item} is at home in",
        "it has its place in",
    ),
    (
        "the {place}, ready for {job}.",
        "a {place} full of {user}.",
        "the {adjective} corner of any {place}.",
        "homes where {user} and {other_user} live together.",
        "the {place}, {colour} and {adjective}.",
    ),
)

STORY = Topic(
    ("Our story", "How it began", "Behind the {kind}"),
    (
        "The first sketch",
        "The idea",
        "Our oldest prototype",
        "An early drawing",
        "The name {brand}",
        "This line of products",
    ),
    ("came from", "was born in", "goes back to", "owes much to", "was shaped by", "still reminds us of"),
    (
        "a rainy week in the {place}.",
        "letters that {user} sent us.",
        "a {kind} that broke too soon.",
        "our founder and a love of {job}.",
        "long talks with {other_user}.",
        "a {adjective} workshop by the river.",
    ),
)

SAFETY = Topic(
    ("Safe to use", "Peace of mind", "Tested"),
    (
        "Rounded edges",
        "Clear markings",
        "Independent tests",
        "Smooth surfaces",
        "Plain warnings in print",
        "Careful checks",
    ),
    ("help with", "add calm to", "make light of", "are there for", "were made with a thought of"),
    (
        "{job} near children.",
        "long hours in the {place}.",
        "pinched fingers and scratched floors.",
        "mistakes that {user} make.",
        "hurried mornings.",
        "{other_user} who are new to it.",
    ),
)

# What has no bearing on the price.
OTHER_TOPICS = (USER, CARE, COMPANY, WARRANTY, BOX, NOTE, COMPARISON, STYLE, SCENE, STORY, SAFETY)

COLOURS = (
    "black", "white", "silver", "matte gray", "navy blue", "forest green", "cherry red", "sand", "charcoal", "ivory",
    "teal", "burnt orange", "sky blue", "rose gold", "olive", "copper", "lavender", "mustard yellow",
)  # fmt: skip
ADJECTIVES = (
    "sturdy", "quiet", "smooth", "clever", "slender", "tidy", "bright", "gentle", "steady", "simple", "modern",
    "rounded", "patient", "balanced", "crisp", "careful", "friendly", "generous", "robust", "premium", "precise",
)  # fmt: skip
USERS = (
    "beginners", "families", "students", "hobbyists", "contractors", "grandparents", "weekend tinkerers", "small teams",
    "renters", "teachers", "night owls", "collectors", "busy parents", "left handers", "travelers", "old hands",
)  # fmt: skip
SERIES = (
    "Aspen", "Meridian", "Pivot", "Harbor", "Quartz", "Sable", "Juniper", "Orbit", "Ridge", "Lantern", "Cobalt",
    "Willow", "Summit", "Drift", "Echo", "Falcon", "Garnet", "Isle", "Kite", "Linden",
)  # fmt: skip
# Small sellers: a name is one beginning and one ending.
NAME_BEGINNINGS = (
    "Bel", "Cor", "Dav", "El", "Fen", "Gor", "Hul", "Jas", "Kel", "Lor", "Mav", "Nor", "Ond", "Pra", "Quo", "Rav",
    "Sel", "Tav", "Ulm", "Vel", "Wol", "Yar", "Zel", "Bru", "Cly", "Dre",
)  # fmt: skip
NAME_ENDINGS = (
    "abrix", "ennow", "imarq", "otteva", "urando", "yxel", "andiro", "erquil", "inzo", "ovanda", "uplex", "astile",
    "eebro", "ikova", "ostrum", "uvelle", "arnoq", "eltri", "irrola", "ombley",
)  # fmt: skip

# Sentences in other languages and scripts, as sellers leave them in their listings.
OTHER_LANGUAGES = (
    (  # German
        "Bitte prüfen Sie vor dem Kauf die Maße, damit alles an seinen Platz passt.",
        "Hochwertig verarbeitet, leicht zu reinigen und für viele Jahre gemacht.",
        "Größe und Farbe können wegen der Beleuchtung leicht abweichen.",
    ),
    (  # Spanish
        "Fácil de limpiar y muy cómodo para toda la familia, también los niños pequeños.",
        "¡Pídelo hoy y recíbelo mañana! Nuestro taller responde en español.",
        "El diseño es sencillo, el montaje tarda cinco minutos y no necesita herramientas.",
    ),
    (  # Japanese
        "毎日の暮らしに役立つ、丈夫で使いやすい製品です。",
        "お手入れは簡単で、水拭きするだけできれいになります。",
        "説明書は日本語と英語の両方が付いています。",
    ),
    (  # Arabic
        "منتج متين وسهل الاستخدام ومناسب لجميع أفراد العائلة.",
        "يرجى قراءة التعليمات قبل الاستعمال الأول.",
        "نرسل الطلب خلال يومين مع ضمان كامل.",
    ),
    (  # Korean
        "튼튼하고 가벼워서 매일 사용하기에 좋습니다.",
        "구매하시기 전에 크기를 꼭 확인해 주세요.",
        "설명서와 부품이 함께 들어 있습니다.",
    ),
)
