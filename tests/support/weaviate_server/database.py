"""What the server holds: collections with their schema, and aliases."""

import base64
import binascii
import copy
import re
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CLASS_NAME = re.compile(r"[A-Z][_0-9A-Za-z]{0,254}")
PROPERTY_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,230}")
RESERVED = {"id", "_id", "_additional"}
HNSW = {  # what a server adds to the index of a vector
    "skip": False,
    "cleanupIntervalSeconds": 300,
    "maxConnections": 32,
    "efConstruction": 128,
    "ef": -1,
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "vectorCacheMaxObjects": 1_000_000_000_000,
    "flatSearchCutoff": 40_000,
    "distance": "cosine",
}


class RefusedError(Exception):
    """The request is against the rules; status is HTTP's."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Stored:
    """An object: its properties, and its vectors by name, float32."""

    properties: dict[str, Any]
    vectors: dict[str, np.ndarray]


@dataclass
class Class:
    """A collection: its configuration as a client reads it, and its objects by UUID."""

    config: dict[str, Any]
    objects: dict[str, Stored] = field(default_factory=dict)

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.config["properties"]}

    def put(self, uuid: str, stored: Stored) -> None:
        """Add or replace an object, if it fits the schema."""
        for name, value in stored.properties.items():
            if name not in self.properties:
                raise RefusedError(
                    f"no such prop with name '{name}' found in class '{self.config['class']}' in the schema"
                )
            _check(name, self.properties[name]["dataType"][0], value)
        for name, vector in stored.vectors.items():
            if name not in self.config["vectorConfig"]:
                raise RefusedError(f"vector {name}: vector config not found for target vectors")
            length = next(
                (len(each.vectors[name]) for each in self.objects.values() if name in each.vectors), len(vector)
            )
            if len(vector) != length:
                raise RefusedError(
                    f"new node has a vector with length {len(vector)}. Existing nodes have length {length}"
                )
        self.objects[uuid] = stored


class Database:
    """Collections and aliases; every method is one step for those who look at it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.classes: dict[str, Class] = {}
        self.aliases: dict[str, str] = {}

    def create(self, config: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            name = config["class"]
            if not CLASS_NAME.fullmatch(name):
                raise RefusedError(f"'{name}' is not a valid class name")
            if name.lower() in {taken.lower() for taken in [*self.classes, *self.aliases]}:
                raise RefusedError(f"class name {name} already exists")
            self.classes[name] = Class(_completed(config))
            return copy.deepcopy(self.classes[name].config)

    def delete(self, name: str) -> None:
        with self.lock:
            self.classes.pop(name, None)

    def resolve(self, name: str) -> str:
        """The name of the collection that a collection's or an alias's name stands for."""
        return self.aliases.get(name, name)

    def find(self, name: str) -> Class:
        try:
            return self.classes[name]
        except KeyError:
            raise RefusedError(f"could not find class {name} in schema", 404) from None

    def point(self, alias: str, name: str) -> None:
        """Make an alias, or point it at another collection."""
        with self.lock:
            if alias in self.classes:
                raise RefusedError(f"alias: {alias}: a class of that name already exists")
            if name not in self.classes:
                raise RefusedError(f"alias: {alias}: class {name} not found")
            self.aliases[alias] = name


def _completed(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with what the server adds to it."""
    complete = copy.deepcopy(config)
    complete.setdefault("properties", [])
    for each in complete["properties"]:
        if not PROPERTY_NAME.fullmatch(each["name"]) or each["name"] in RESERVED:
            raise RefusedError(f"'{each['name']}' is a reserved or invalid property name")
        text = each["dataType"][0] in ("text", "text[]")
        if each.get("indexSearchable") and not text:
            raise RefusedError("`indexSearchable` is allowed only for text/text[] data types")
        if each.get("tokenization") and not text:
            raise RefusedError(f"tokenization is not allowed for data type '{each['dataType'][0]}'")
        if each.get("indexRangeFilters") and each["dataType"][0] not in ("int", "number", "date"):
            raise RefusedError("`indexRangeFilters` is allowed only for number/int/date data types")
        each["indexFilterable"] = each.get("indexFilterable") is not False
        each["indexSearchable"] = text if each.get("indexSearchable") is None else each["indexSearchable"]
        each["indexRangeFilters"] = bool(each.get("indexRangeFilters"))
        for key in ("skip_vectorization", "vectorize_property_name"):  # the client's own, which a server drops
            each.pop(key, None)
    for vector in complete.get("vectorConfig", {}).values():
        vector["vectorIndexType"] = vector.get("vectorIndexType") or "hnsw"
        vector["vectorIndexConfig"] = HNSW | vector.get("vectorIndexConfig", {})
    inverted = complete.setdefault("invertedIndexConfig", {})
    inverted.setdefault("cleanupIntervalSeconds", 60)
    inverted["bm25"] = {"k1": 1.2, "b": 0.75} | inverted.get("bm25", {})
    inverted["stopwords"] = {"preset": "en", "additions": None, "removals": None} | inverted.get("stopwords", {})
    return complete


def _check(name: str, kind: str, value: Any) -> None:
    fits = {
        "text": lambda: isinstance(value, str),
        "text[]": lambda: isinstance(value, list) and all(isinstance(each, str) for each in value),
        "boolean": lambda: isinstance(value, bool),
        "number": lambda: isinstance(value, float),
        "int": lambda: isinstance(value, float) and value.is_integer(),
        "blob": lambda: isinstance(value, str) and _is_base64(value),
    }
    if not fits[kind]():
        raise RefusedError(f"invalid {kind} property '{name}': not a {kind}, but {type(value).__name__}")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True
