"""What operations of the OpenAPI document are made of."""

from typing import Any

Schema = dict[str, Any]

# Errors a POST of a melody may meet: status -> when.
ERRORS = {
    400: "The melody, a value or the file is wrong.",
    403: "A page of another site asked.",
    404: "There is no such model.",
    406: "None of our media types is accepted.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is neither JSON nor a form.",
    503: "Too many melodies are waiting, or the server stops; see Retry-After.",
}
BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def json_body(name: str, example: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": ref(name), "example": example}}}


def operation(name: str, summary: str, description: str, answers: Schema, with_token: bool) -> Schema:
    said: Schema = {"operationId": name, "summary": summary, "responses": answers}
    if description:
        said["description"] = description
    if with_token:
        said["responses"] = answers | errors({401: "The token is missing or wrong."})
        said["security"] = [{"bearer": []}, {"query": []}]
    return said


def errors(table: dict[int, str]) -> Schema:
    content = {"application/json": {"schema": ref("ErrorAnswer")}}
    answers: Schema = {str(status): {"description": when, "content": content} for status, when in table.items()}
    if "503" in answers:
        answers["503"]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return answers


def form_schema(name: str, choices: Schema, what: str) -> Schema:
    """The form: the choices of the JSON body, each a field, and the file."""
    file = {**BINARY, "description": what}
    fields = {name: form_field(field) for name, field in choices["properties"].items()}
    return {
        "title": name,
        "description": "The same choices as form fields; lists: `between` comes twice, `keep` is JSON, one or a list. "
        "`like` is a chart or a second file.",
        "type": "object",
        "properties": {"file": file} | fields,
        "required": ["file", *choices.get("required", ())],
        "additionalProperties": False,
    }


def form_field(field: Schema) -> Schema:
    """A form has no null: the field is there or it is not; and where text does, no list (`like`)."""
    for kind in field.get("anyOf", []):
        if kind != {"type": "null"}:
            texts = [inner for inner in kind.get("anyOf", []) if inner.get("type") == "string"]
            return {**kind, "anyOf": texts} if texts else kind
    return field
