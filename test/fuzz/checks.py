"""Hooks and checks for schemathesis, beside its own."""

import itertools
import os

import schemathesis

# Codes of valid requests that contradict the stored state: a schema does not know which keys were used, which tickets
# exist, or how many units are booked.
DEPENDS_ON_STATE = {"key_reused", "invalid_ticket", "quota_too_low"}

# Rules about the JSON text, which a JSON Schema cannot express because it applies to the parsed value.
ABOUT_THE_TEXT = ("A member must not be named __proto__", "The body is nested deeper")

clients = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each request a client address of its own, and keeps requests from draining the attacked server."""
    number = next(clients)
    case.headers["X-Forwarded-For"] = f"198.18.{number // 256 % 256}.{number % 256}"
    parameters = case.path_parameters
    if case.operation.definition.raw["operationId"] == "drainInstance" and parameters.get("id") == os.environ["INSTANCE_ID"]:
        parameters["id"] = "another"


@schemathesis.check
def valid_request_refused(ctx, response, case):
    """A request that fits the schema may be answered 422 only for one of these reasons."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = response.json()
    if problem["code"] in DEPENDS_ON_STATE:
        return
    errors = problem.get("errors", [])
    if errors and errors[0]["message"].startswith(ABOUT_THE_TEXT):
        return
    paths = [error["path"] for error in errors]
    # closesAt must be after opensAt, which may be another member or a stored value.
    if paths == ["closesAt"] and errors[0]["message"] == "must be after opensAt":
        return
    # to must be after from, which is another parameter.
    if paths == ["to"] and errors[0]["message"] == "must be after from":
        return
    # With the suppliers' token, a key is required.
    if paths == ["Idempotency-Key"]:
        headers = {name.lower() for name in response.request.headers}
        if "authorization" in headers and "idempotency-key" not in headers:
            return
    raise AssertionError(f"A request that fits the schema was refused: {problem}")
