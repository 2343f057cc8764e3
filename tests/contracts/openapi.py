"""Checkbox's OpenAPI document as a judge over requests and answers, whoever made them.

    document = OpenApi.load()
    document.check_request("POST", "/api/v1/receipts/sell", headers=..., body=...)
    document.check_response("POST", "/api/v1/receipts/sell", 201, body)

Both raise ``ContractBroken`` (an ``AssertionError``) that names everything that is wrong, and give back the
operation, such as ``POST /api/v1/receipts/sell``, so that a test can tell which operations it has seen.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FILE = Path(__file__).parents[1] / "data" / "checkbox" / "openapi.json"
#: One that no caller sends, so that a missing body and the body ``null`` are two things.
NO_BODY: Any = object()


class ContractBroken(AssertionError):
    """The request or the answer is not what the document says."""


class OpenApi:
    """The document; paths are whole ones, with ``/api/v1`` and without a host."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._validators: dict[tuple[bool, str], Draft202012Validator] = {}

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def operations(self) -> frozenset[str]:
        """All of them, such as ``GET /api/v1/receipts/{receipt_id}``."""
        paths = self._document["paths"].items()
        return frozenset(f"{method.upper()} {path}" for path, methods in paths for method in methods)

    @cached_property
    def _templates(self) -> Mapping[str, re.Pattern[str]]:
        templates = sorted(self._document["paths"], key=lambda template: template.count("{"))
        return {
            template: re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))
            for template in templates
        }

    def operation(self, method: str, path: str) -> str:
        """Which operation a request is; a path without parameters goes before one with them."""
        for template, pattern in self._templates.items():
            if method.lower() in self._document["paths"][template] and pattern.fullmatch(path):
                return f"{method.upper()} {template}"
        raise ContractBroken(f"the document has no {method.upper()} {path}")

    def check_request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: Any = NO_BODY,
        closed: bool = True,
    ) -> str:
        """``headers`` None leaves them unchecked; ``closed`` refuses members unknown to the document."""
        operation = self.operation(method, path)
        pointer, content = self._pointer(operation), self._operation(operation)
        problems = self._query_problems(pointer, content, query)
        if headers is not None:
            problems += _header_problems(content, self._parameters(content), headers)
        problems += self._body_problems(pointer, content, body, closed=closed)
        return _verdict(operation, problems)

    def check_response(
        self, method: str, path: str, status: int, body: Any = NO_BODY, media_type: str = "application/json"
    ) -> str:
        """``body`` is parsed JSON; for other media types it may be left out."""
        operation = self.operation(method, path)
        responses = self._operation(operation)["responses"]
        if str(status) not in responses:
            raise ContractBroken(f"{operation}: the document has no answer {status}")
        response = responses[str(status)]
        pointer = f"{self._pointer(operation)}/responses/{status}"
        if "$ref" in response:
            pointer = response["$ref"].removeprefix("#")
            response = self._at(pointer)
        content = response.get("content", {})
        if not content:
            return _verdict(operation, [] if body is NO_BODY else ["a body where none is due"])
        kind = media_type.partition(";")[0].strip()
        if kind not in content:
            raise ContractBroken(f"{operation}: {status} is never {kind}")
        if kind != "application/json":
            return operation
        if body is NO_BODY:
            raise ContractBroken(f"{operation}: {status} without its body")
        schema = f"{pointer}/content/{_escaped(kind)}/schema"
        return _verdict(operation, self._problems(schema, body, closed=False))

    def _operation(self, operation: str) -> Mapping[str, Any]:
        method, _, template = operation.partition(" ")
        content: Mapping[str, Any] = self._document["paths"][template][method.lower()]
        return content

    def _pointer(self, operation: str) -> str:
        method, _, template = operation.partition(" ")
        return f"/paths/{_escaped(template)}/{method.lower()}"

    def _parameters(self, content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        """Each with where it stands in the document, seen from the operation or as a whole pointer."""
        found = []
        for index, item in enumerate(content.get("parameters", [])):
            reference = item.get("$ref")
            if reference is None:
                found.append((f"parameters/{index}", item))
            else:
                found.append((reference.removeprefix("#"), self._at(reference.removeprefix("#"))))
        return found

    def _query_problems(self, pointer: str, content: Mapping[str, Any], query: str) -> list[str]:
        known = {item["name"]: place for place, item in self._parameters(content) if item["in"] == "query"}
        problems = []
        for name, values in parse_qs(query, keep_blank_values=True).items():
            if name not in known:
                problems.append(f"no query parameter {name}")
                continue
            schema = f"{pointer}/{known[name]}/schema"
            problems += self._problems(schema, _typed(self._at(schema), values), closed=False)
        return problems

    def _body_problems(
        self, pointer: str, content: Mapping[str, Any], body: Any, *, closed: bool
    ) -> list[str]:
        expected = content.get("requestBody")
        if expected is None:
            return [] if body is NO_BODY else ["a body where none is due"]
        if body is NO_BODY:
            return ["no body"] if expected.get("required") else []
        schema = f"{pointer}/requestBody/content/{_escaped('application/json')}/schema"
        return self._problems(schema, body, closed=closed)

    def _problems(self, pointer: str, instance: Any, *, closed: bool) -> list[str]:
        validator = self._validators.get((closed, pointer))
        if validator is None:
            validator = Draft202012Validator(
                {"$ref": f"{'closed' if closed else 'open'}:checkbox#{pointer}"},
                registry=self._registry,
                format_checker=FormatChecker(),
            )
            self._validators[closed, pointer] = validator
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(instance)]

    @cached_property
    def _registry(self) -> Registry[Any]:
        """The document twice: as it is, and with objects that allow no other members."""
        closed = _closed(copy.deepcopy(dict(self._document)))
        empty: Registry[Any] = Registry()
        return empty.with_resources(
            [
                ("open:checkbox", DRAFT202012.create_resource(self._document)),
                ("closed:checkbox", DRAFT202012.create_resource(closed)),
            ]
        )

    def _at(self, pointer: str) -> Any:
        found: Any = self._document
        for part in pointer.lstrip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            found = found[int(key)] if isinstance(found, list) else found[key]
        return found


def _verdict(operation: str, problems: list[str]) -> str:
    if problems:
        raise ContractBroken(f"{operation}: " + "; ".join(problems))
    return operation


def _header_problems(
    content: Mapping[str, Any],
    parameters: list[tuple[str, Mapping[str, Any]]],
    headers: Mapping[str, str],
) -> list[str]:
    sent = {name.lower(): value for name, value in headers.items()}
    problems = [
        f"no header {item['name']}"
        for _, item in parameters
        if item["in"] == "header" and item.get("required") and not sent.get(item["name"].lower())
    ]
    if content.get("security") and not sent.get("authorization", "").startswith("Bearer "):
        problems.append("no bearer")
    return problems


def _typed(schema: Mapping[str, Any], values: list[str]) -> Any:
    """What a query's text stands for."""
    if schema.get("type") == "array":
        return values
    if schema.get("type") in ("integer", "boolean", "number"):
        try:
            return json.loads(values[-1])
        except ValueError:
            return values[-1]
    return values[-1]


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        for item in node:
            _closed(item)
    elif isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            node.setdefault("additionalProperties", False)
        for item in node.values():
            _closed(item)
    return node


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
