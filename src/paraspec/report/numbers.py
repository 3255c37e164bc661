"""How numbers are written, in figures and on the page alike."""

import math

MISSING = "n/a"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def number(value: float) -> str:
    """Three significant digits, or three decimals below one.

    >>> [number(v) for v in (0.98765, 1.2345, 12.345, 1234.5, -0.05, -0.0001)]
    ['0.988', '1.23', '12.3', '1,234', '−0.050', '0.000']
    """
    if not math.isfinite(value):
        return MISSING
    size = abs(value)
    decimals = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    text = f"{size:,.{decimals}f}"
    negative = value < 0 and any(digit in text for digit in "123456789")
    return MINUS + text if negative else text


def interval(low: float, high: float) -> str:
    """Two ends with an en dash, or ``to`` where a minus sign would collide with it.

    >>> interval(0.1, 0.25), interval(-0.1, 0.25), interval(math.nan, 1)
    ('0.100–0.250', '−0.100 to 0.250', '')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    ends = number(low), number(high)
    return (" to " if MINUS in "".join(ends) else DASH).join(ends)


def with_interval(value: float, low: float, high: float) -> str:
    """Estimate with its interval in brackets.

    >>> with_interval(0.5, 0.4, 0.6)
    '0.500 (0.400–0.600)'
    """
    ends = interval(low, high)
    return f"{number(value)} ({ends})" if ends else number(value)


def points(value: float) -> str:
    """Share as percentage points with one decimal.

    >>> points(0.1234), points(-0.02)
    ('12.3', '−2.0')
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{abs(100 * value):.1f}"
    return MINUS + text if value < 0 and text != "0.0" else text


def percent(share: float) -> str:
    """Share as a percentage of three digits, without needless ones.

    >>> percent(0.05), percent(0.005), percent(0), percent(0.101953)
    ('5 %', '0.5 %', '0 %', '10.2 %')
    """
    return f"{100 * share:.3g} %" if math.isfinite(share) else MISSING


def p_value(value: float) -> str:
    """P value.

    >>> p_value(0.0004), p_value(0.0321)
    ('<0.001', '0.032')
    """
    return "<0.001" if value < 0.0005 else number(value)


def count(value: float) -> str:
    """Whole number; the empty count is written as missing.

    >>> count(5250.0), count(math.nan)
    ('5,250', 'n/a')
    """
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def parameters(value: float) -> str:
    """Parameter count.

    >>> parameters(98_304), parameters(1_234_567), parameters(7_240_000_000)
    ('98.3 K', '1.23 M', '7.24 B')
    """
    if not math.isfinite(value):
        return MISSING
    for unit, scale in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if value >= scale:
            return f"{number(value / scale)} {unit}"
    return count(value)


def duration(seconds: float) -> str:
    """Time in the two largest units.

    >>> duration(5.25), duration(83), duration(3723)
    ('5.2 s', '1 min 23 s', '1 h 02 min')
    """
    if not math.isfinite(seconds):
        return MISSING
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def memory(mebibytes: float) -> str:
    """Memory, given in MiB.

    >>> memory(512), memory(2048)
    ('512 MiB', '2.00 GiB')
    """
    if not math.isfinite(mebibytes):
        return MISSING
    if mebibytes < 1024:
        return f"{mebibytes:.0f} MiB"
    return f"{number(mebibytes / 1024)} GiB"


def listed(words: list[str]) -> str:
    """Words as an English list.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(n: int, noun: str) -> str:
    """Count with its noun, in the plural where due.

    >>> counted(1, "model"), counted(14, "family")
    ('1 model', '14 families')
    """
    if n == 1:
        return f"1 {noun}"
    return f"{count(n)} {noun[:-1]}ies" if noun.endswith("y") else f"{count(n)} {noun}s"
