"""What the `input` of a fixture names."""

import ast

from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.table_name import TableName


def input_node(text: str, model: str, names: NodeNames) -> str | None:
    """Return the node that an input names: by a call, by its plain name, or `this`."""
    if text.strip() == "this":
        return model
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        words = [arg.value for arg in tree.args if isinstance(arg, ast.Constant)]
        if tree.func.id == "ref" and len(words) in (1, 2):
            return _resolve(None, words[-1], names)
        if tree.func.id == "source" and len(words) == 2:
            return _resolve(words[0], words[1], names)
    if isinstance(tree, ast.Name):
        return _resolve(None, tree.id, names)
    if isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name):
        return _resolve(tree.value.id, tree.attr, names)
    return None


def _resolve(schema: object, name: object, names: NodeNames) -> str | None:
    return names.resolve(TableName(str(schema) if schema else None, str(name), 0, 0))
