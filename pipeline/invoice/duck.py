"""What invoicing needs of a DuckDB connection: no more than this, and only the lake knows its type."""

from typing import Any, Protocol


class Duck(Protocol):
    """A connection; the lake hands them out."""

    def execute(self, query: str, parameters: Any = None) -> Any: ...
    def register(self, view_name: str, python_object: object) -> Any: ...
