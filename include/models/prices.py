"""What tokens cost: by the price list that ships with `genai-prices`, of the day on which that was released."""

UNKNOWN = (5.0, 25.0)
"""What a model without a price counts as, in US dollars for a million tokens in and out: as the dearest in common
use."""

Rates = tuple[float, float]
"""US dollars for a million tokens in and out."""


def cost(provider_model: str, input_tokens: int, output_tokens: int, own: Rates | None = None) -> float | None:
    """US dollars for the tokens of one request, at the operator's own rates where there are such; None where the model
    is not listed. Some models cost more by the token where the request is long. Nothing is fetched."""
    if own is not None:
        return at(own, input_tokens, output_tokens)
    from genai_prices import Usage, calc_price

    provider, _, model = provider_model.partition(":")
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    try:
        return float(calc_price(usage, model, provider_id=provider).total_price)
    except LookupError:
        return None


def at(rates: Rates, input_tokens: int, output_tokens: int) -> float:
    return (input_tokens * rates[0] + output_tokens * rates[1]) / 1e6
