"""The message as it stands on the wire. The JSON Schema of the contract is generated from these models.

Strict: a string is not a number and 1 is not true. Unknown members are ignored; null for an optional member
is the same as leaving it out.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from worker.rabbit.message.kinds import (
    CardMask,
    DocNumber,
    Id,
    KyivMoment,
    Label,
    Moment,
    Money,
    Percent,
    PositiveMoney,
    Price,
    ProductCode,
    ProductName,
    Quantity,
    RelationId,
    RequestId,
    Source,
    Text,
    Text64,
    Text256,
    Uuid,
)

#: Stands for a buyer that cannot be one; no address and no number looks like it.
_MALFORMED = "?"


def _rate_or_not_accountable(schema: dict[str, Any]) -> None:
    del schema["required"]
    schema["anyOf"] = [
        {"required": ["percentRate"]},
        {"properties": {"notAccountable": {"const": True}}, "required": ["notAccountable"]},
    ]


def _without_ignored_rate(vat: Any) -> Any:
    """A rate that is not accounted for ignores ``percentRate``, whatever stands there."""
    if isinstance(vat, dict) and vat.get("notAccountable") is True:
        return {"notAccountable": True, "percentRate": "0"}
    return vat


def _lenient_buyer(buyer: Any) -> Any:
    return buyer if buyer is None or isinstance(buyer, dict) else {"email": _MALFORMED}


def _lenient_text(value: Any) -> str | None:
    """A malformed buyer is dropped, and fails no message."""
    return value if value is None or isinstance(value, str) else _MALFORMED


class WireModel(BaseModel):
    """Names in Bimp's spelling, values as they are.

    Lists stop at their first bad item: in 1 MiB a million things can be wrong, and errors take memory.
    """

    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class WireVat(WireModel):
    """A rate of Bimp; ``notAccountable`` is a rate of its own and not 0 percent."""

    model_config = ConfigDict(json_schema_extra=_rate_or_not_accountable)

    percent_rate: Annotated[Percent, Field(description="In percent; compared as a number.")]
    not_accountable: bool | None = None


class WireLine(WireModel):
    """A line of the order."""

    code: ProductCode
    name: Annotated[ProductName, Field(description="Past 1,000 characters the receipt shows it cut.")]
    barcode: Text256 | None = None
    uktzed: Text64 | None = None
    unit: Text256 | None = None
    nomenclature_uuid: Text256 | None = None
    excise_barcodes: Annotated[list[Text], Field(fail_fast=True, description="Paper stamps.")] | None = None
    e_excise_barcodes: (
        Annotated[list[Text], Field(fail_fast=True, description="Electronic marks.")] | None
    ) = None
    count: Quantity
    cost: Annotated[Price, Field(description="Price of one, VAT included.")]
    discount: Annotated[Money | None, Field(description="Money off the whole line.")] = None
    amount: Annotated[
        Money, Field(description="What the line costs; leads where count*cost-discount differs by kopiykas.")
    ]
    vat: Annotated[
        WireVat | None,
        BeforeValidator(_without_ignored_rate),
        Field(description="null: no tax on the line."),
    ]


class WireOrder(WireModel):
    """The customer order."""

    uuid: Annotated[Uuid, Field(description="Identity of the order.")]
    doc_number: DocNumber
    date: KyivMoment
    archived: Annotated[
        bool, Field(description="true: the order may not be fiscalized. Missing is never false.")
    ]
    currency: Annotated[str, Field(description="UAH; anything else is CURRENCY_NOT_SUPPORTED.")]
    products: Annotated[list[WireLine], Field(min_length=1, fail_fast=True)]
    discount: Annotated[Money | None, Field(description="Money off the whole order, after the lines.")] = None
    total: Annotated[PositiveMoney, Field(description="Σ amount − discount.")]


class WireCard(WireModel):
    """The acquirer's details of a card payment, passed on to the receipt."""

    mask: CardMask | None = None
    bank_name: Text | None = None
    auth_code: Text | None = None
    rrn: Text | None = None
    payment_system: Text | None = None
    terminal: Text | None = None
    acquirer: Text | None = None


class WirePayment(WireModel):
    """One payment."""

    form: Literal["CASH", "CASHLESS"]
    amount: PositiveMoney
    label: Label | None = None
    card: WireCard | None = None


class WireBuyer(WireModel):
    """Where Checkbox sends the receipt. A malformed one is dropped with a warning."""

    email: Annotated[str | None, BeforeValidator(_lenient_text)] = None
    phone: Annotated[str | None, BeforeValidator(_lenient_text)] = None


class WireReturnOf(WireModel):
    """The sale that is returned: exactly one of ``orderUuid`` and ``receiptId``; for a chain the first."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("orderUuid", "receiptId")
            ]
        }
    )

    order_uuid: Uuid | None = None
    receipt_id: Uuid | None = None
    relation_id: Annotated[
        RelationId | None,
        Field(description="PREPAYMENT_RETURN alone, as the events give it; needed where there were several."),
    ] = None


def _where(*operations: str) -> dict[str, Any]:
    return {"properties": {"operation": {"enum": list(operations)}}, "required": ["operation"]}


def _needs(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {name: schema}, "required": [name]}


_OF_CHAIN = _needs("returnOf", {"type": "object", **_needs("orderUuid", {"type": "string"})})
_RULES: list[JsonValue] = [
    {"if": _where("RETURN"), "then": _needs("returnOf", {"type": "object"})},
    {"if": _where("PREPAYMENT", "AFTERPAYMENT"), "then": _needs("paymentUuid", {"type": "string"})},
    {"if": _where("PREPAYMENT_RETURN"), "then": _OF_CHAIN, "else": _needs("payments", {"type": "array"})},
]


class WireData(WireModel):
    """What is to be fiscalized, and by whom."""

    model_config = ConfigDict(json_schema_extra={"allOf": _RULES})

    integration: Annotated[Id, Field(description="The integration that the user chose.")]
    cashier: Annotated[Id, Field(description="The cashier row that the user chose in that integration.")]
    operation: Annotated[
        Literal["SELL", "RETURN", "PREPAYMENT", "AFTERPAYMENT", "PREPAYMENT_RETURN"] | None,
        Field(description="SELL where it is left out."),
    ] = None
    sell_again: Annotated[
        bool | None,
        Field(
            description="SELL, and a PREPAYMENT of the whole total: an order whose last sale was returned in "
            "full is sold anew."
        ),
    ] = None
    payment_uuid: Annotated[
        Uuid | None,
        Field(description="PREPAYMENT and AFTERPAYMENT: identity of the money that came in."),
    ] = None
    closes: Annotated[
        bool | None,
        Field(description="AFTERPAYMENT: all that is left (true, the default), or one more advance."),
    ] = None
    order: WireOrder
    payments: Annotated[list[WirePayment], Field(min_length=1, fail_fast=True)] | None = None
    buyer: Annotated[WireBuyer | None, BeforeValidator(_lenient_buyer)] = None
    return_of: WireReturnOf | None = None


class WireMessage(WireModel):
    """Order ready to fiscalize: a CloudEvents 1.0 event in structured mode. Unknown members are ignored."""

    model_config = ConfigDict(alias_generator=None, title="OrderReadyToFiscalize")

    specversion: Literal["1.0"]
    type: Literal["ua.bimp.order.ready_to_fiscalize.v1"]
    source: Annotated[Source, Field(description="/companies/<company code>")]
    id: Annotated[RequestId, Field(description="Unique for this request of Bimp.")]
    subject: Annotated[Uuid | None, Field(description="The order's uuid.")] = None
    time: Annotated[Moment | None, Field(description="When the request was made.")] = None
    data: WireData


_MODELS: tuple[type[WireModel], ...] = (
    WireMessage,
    WireData,
    WireOrder,
    WireLine,
    WireVat,
    WirePayment,
    WireCard,
    WireBuyer,
    WireReturnOf,
)
#: The names of all members that the contract has.
MEMBERS = frozenset(field.alias or name for model in _MODELS for name, field in model.model_fields.items())
