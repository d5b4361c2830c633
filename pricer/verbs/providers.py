"""The verb providers: who can be asked, at which prices, by which key; and own providers."""

import argparse
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.progress import Report
from pricer.verbs.verb import Actions, Verbs

if TYPE_CHECKING:
    from pricer.llm.providers import Provider


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its actions."""
    actions = Actions(verbs.add("providers", "say who can be asked, and change that", _list, _list_words))
    actions.add("list", "list every provider", _list, _list_words)
    add = actions.add("add", "add a provider of your own, or change one", _add, _one_words)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--base", required=True, metavar="ADDRESS", help="such as http://127.0.0.1:8000/v1")
    add.add_argument(
        "--key", metavar="NAME", help="of the key that it needs, such as LAB_API_KEY, never the key itself"
    )
    add.add_argument("--title", default="")
    add.add_argument("--batches", action="store_true", help="it answers whole files at /batches, as OpenAI does")
    remove = actions.add(
        "remove", "forget one of your own", _remove, lambda result: f"{result['removed']} is forgotten"
    )
    remove.add_argument("name", metavar="NAME")
    listing = actions.add("models", "list the models that its server offers", _models, _models_words)
    listing.add_argument("name", metavar="NAME")
    price = actions.add("price", "state what a model costs, in dollars for a million tokens", _price, _one_words)
    price.add_argument("name", metavar="NAME")
    price.add_argument("model", metavar="MODEL")
    price.add_argument("dollars_in", type=float, nargs="?", metavar="IN")
    price.add_argument("dollars_out", type=float, nargs="?", metavar="OUT", help="without both it is unknown again")
    limit = actions.add("limit", "state how many requests a minute the account may send", _limit, _one_words)
    limit.add_argument("name", metavar="NAME")
    limit.add_argument("per_minute", type=int, nargs="?", metavar="N", help="without it there is no limit")
    check = actions.add("check", "one cheap call: is it there, and does it accept the key", _check, _check_words)
    check.add_argument("name", metavar="NAME")


def _facts_of(name: str) -> dict:
    from pricer.llm.providers import list_providers

    return _facts(next(each for each in list_providers() if each.name == name))


def _facts(provider: "Provider") -> dict:
    from pricer.keys import find_key

    found = provider.key and find_key(provider.key)
    facts = provider.model_dump(
        mode="json", include={"name", "title", "base_url", "key", "batches", "own", "per_minute"}
    )
    prices = {model: price._asdict() for model, price in provider.prices.items()}
    return facts | {"key_found_in": found.place if found else None, "prices": prices, "free": provider.is_free}


def _list(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.providers import list_providers

    return {"providers": [_facts(provider) for provider in list_providers()]}


def _list_words(result: dict) -> str:
    return "\n".join(_one_words(facts) for facts in result["providers"])


def _one_words(facts: dict) -> str:
    key = f"{facts['key']} ({facts['key_found_in'] or 'none'})" if facts["key"] else "no key"
    address = facts["base_url"] or "an address for each customer: providers add"
    limit = f"  at most {facts['per_minute']:,} requests a minute" if facts["per_minute"] else ""
    lines = [f"{facts['name']:12}  {facts['title']:34}  {address}  {key}{limit}"]
    for model, price in facts["prices"].items():
        lines.append(f"{'':12}  {model}: ${price['tokens_in']:g} in, ${price['tokens_out']:g} out, a million tokens")
    return "\n".join(lines)


def _add(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.providers import add_provider

    added = add_provider(options.name, options.base, options.key, options.title, options.batches)
    return _facts_of(added.name)


def _remove(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.providers import remove_provider

    remove_provider(options.name)
    return {"removed": options.name}


def _models(options: argparse.Namespace, report: Report) -> dict:
    from pricer.keys import need_key
    from pricer.llm.offered import list_models
    from pricer.llm.providers import find_provider

    provider = find_provider(options.name)
    offered = list_models(provider, need_key(provider.key))
    prices = {each.id: provider.prices.get(each.id) or each.price or provider.price(each.id) for each in offered}
    return {
        "provider": provider.name,
        "models": [{"id": name, "price": price._asdict() if price else None} for name, price in prices.items()],
    }


def _models_words(result: dict) -> str:
    lines = []
    for model in result["models"]:
        price = model["price"]
        said = f"${price['tokens_in']:g} in, ${price['tokens_out']:g} out" if price else "price not stated"
        lines.append(f"{model['id']:48}  {said}")
    return "\n".join(lines) or f"{result['provider']} lists no model"


def _price(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.providers import Price, set_price

    stated = (options.dollars_in, options.dollars_out)
    if (stated[0] is None) != (stated[1] is None):
        raise PricerError("state both prices, for tokens in and for tokens out, or neither")
    set_price(options.name, options.model, None if stated[0] is None else Price(*stated))
    return _facts_of(options.name)


def _limit(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.providers import set_limit

    set_limit(options.name, options.per_minute)
    return _facts_of(options.name)


def _check(options: argparse.Namespace, report: Report) -> dict:
    from pricer.keys import need_key
    from pricer.llm.offered import list_models
    from pricer.llm.providers import find_provider

    provider = find_provider(options.name)
    return {"provider": provider.name, "models": len(list_models(provider, need_key(provider.key)))}


def _check_words(result: dict) -> str:
    return f"{result['provider']} answers, and offers {result['models']:,} models"
