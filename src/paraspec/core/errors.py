"""The one exception that users see as a message instead of a traceback."""


class UserError(Exception):
    """Something that the user can mend: a file, a value, a missing input.

    Parameters
    ----------
    where
        File, with line, row or column where known.
    fault
        What is wrong, with the offending value.
    remedy
        What is allowed, or what to do next.
    """

    def __init__(self, where: object, fault: str, remedy: str) -> None:
        self.where = str(where)
        self.fault = fault
        self.remedy = remedy
        super().__init__(f"{self.where}: {fault}. {remedy}")
