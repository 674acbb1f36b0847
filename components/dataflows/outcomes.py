"""What a late label says of a classic twin's instance: the positive outcome, or another one."""

from components.shared.config.classic import Column, Table


class UnknownClassError(ValueError):
    """A value that is no class of the label column; its text says which are allowed."""


def positive(table: Table, value: str | float) -> bool:
    """Whether a label is the outcome that the model gives the probability of.

    A class is named as in the table, and numbers may be written in any way. Where no class is called 1 or 0,
    1 is the positive outcome and 0 any other. Classes of a text column are known by its `allowed`; without
    it every other text is another outcome.

    Args:
        table: The twin's; its label column and its positive class.
        value: Of the label.

    Raises:
        UnknownClassError: There is no such class.
    """
    column = table.columns[table.label]
    return _text(table, column, value) if column.type == "text" else _number(table, column, value)


def _text(table: Table, column: Column, value: str | float) -> bool:
    known = {table.positive, *column.allowed}
    name = value if value in known else _plain(value)
    if name in known:
        return name == table.positive
    if name in ("0", "1") and not known & {"0", "1"}:
        return name == "1"
    if column.allowed:
        raise UnknownClassError(f"{', '.join(sorted(known))}, or 1 for {table.positive} and 0 for another")
    return False


def _plain(value: str | float) -> str:
    """A number without needless places, a text as it is."""
    try:
        return f"{float(value):.17g}"
    except ValueError:
        return str(value)


def _number(table: Table, column: Column, value: str | float) -> bool:
    try:
        number = float(value)
    except ValueError:
        raise UnknownClassError(column.numbers) from None
    low, high = column.minimum, column.maximum
    whole = column.type == "number" or number.is_integer()
    if not whole or (low is not None and number < low) or (high is not None and number > high):
        raise UnknownClassError(column.numbers)
    return number == float(table.positive)
