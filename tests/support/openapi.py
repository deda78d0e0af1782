"""The portal's description of itself (GET /api/openapi.json), and whether an answer keeps to it."""
import gzip
import json
import re
import urllib.parse

from support.testcase import missing_peer

GENERAL = {"405", "413", "414", "431"}  # of the server, before any endpoint is asked
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Operation:
    def __init__(self, method, path, told):
        self.method, self.path, self.told = method, path, told
        self.role = told["x-role"]
        self.parameters = told.get("parameters", [])
        self.answers = told["responses"]

    @property
    def body(self):
        return self.told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

    def target(self, path=None, query=None):
        """The path with its parts filled in, and the query behind it."""
        text = self.path
        for name, value in (path or {}).items():
            text = text.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
        return text + ("?" + urllib.parse.urlencode(query) if query else "")

    def __repr__(self):
        return f"{self.method} {self.path}"


class Description:
    def __init__(self, text):
        try:
            import jsonschema
        except ImportError:
            missing_peer("python3-jsonschema")
        self.jsonschema = jsonschema
        self.document = json.loads(text)
        self.resolver = jsonschema.RefResolver.from_schema(self.document)
        self.formats = jsonschema.FormatChecker(())
        self.formats.checks("date-time")(lambda value: not isinstance(value, str) or TIME.fullmatch(value) is not None)
        self.operations = [Operation(method.upper(), path, told) for path, methods in self.document["paths"].items()
                           for method, told in methods.items()]

    def operation(self, method, path):
        return next(o for o in self.operations if (o.method, o.path) == (method, path))

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.resolver.resolve(schema["$ref"])[1]
        return schema

    def mistakes(self, schema, value):
        validator = self.jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=self.formats)
        return [f"{'/'.join(map(str, error.absolute_path)) or '(all)'}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def wrong(self, operation, answer):
        """What is wrong with an answer: not a status it may have, not the type, not the shape. Empty: nothing."""
        status = str(answer.status)
        type_ = (answer.headers.get("Content-Type") or "").partition(";")[0].strip()
        if answer.headers.get("Content-Encoding") == "gzip" and answer.raw[:2] == b"\x1f\x8b":
            answer.raw = gzip.decompress(answer.raw)
            answer.body = answer.raw.decode(errors="replace")
        told = operation.answers.get(status)
        if told is None and status not in GENERAL:
            return [f"{operation} answered {status}, which is not described: {answer.body[:300]}"]
        if answer.status >= 400 and "application/json" not in self.resolve(told or {}).get("content", {}):
            return self.wrong_problem(operation, answer, type_)
        content = self.resolve(told).get("content")
        if not content:
            return [f"{operation} {status} has a body: {answer.body[:100]}"] if answer.raw else []
        if type_ not in content:
            return [f"{operation} {status} is {type_}, not {' or '.join(content)}"]
        if type_.endswith("ndjson") and "anyOf" in content[type_]["schema"]:
            values = [json.loads(line) for line in answer.body.splitlines()]
        elif type_.endswith("json") and "ndjson" not in type_:
            values = [answer.json]
        else:
            return []
        return [f"{operation} {status}: {mistake}" for value in values for mistake in self.mistakes(content[type_]["schema"], value)]

    def wrong_problem(self, operation, answer, type_):
        if type_ != "application/problem+json":
            return [f"{operation} {answer.status} is {type_ or 'without a type'}, not a problem: {answer.body[:200]}"]
        found = self.mistakes({"$ref": "#/components/schemas/Problem"}, answer.json)
        if answer.json.get("status") != answer.status:
            found.append(f"status {answer.json.get('status')} in the body")
        return [f"{operation} {answer.status}: {mistake}" for mistake in found]
