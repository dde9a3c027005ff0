"""What callers are told of errors: the only place where errors of other packages become RpcErrors."""

import logging
import secrets

from dreamcanvas import errors
from dreamcanvas.errors import RpcError

log = logging.getLogger(__name__)


def told(method: str, error: BaseException) -> RpcError:
    """Return the error that the caller of a method is sent for an exception.

    For a bug it holds only an id; the log has the exception under the same id.
    """
    found = _of_domain(error)
    if found is not None:
        return found
    incident = secrets.token_hex(4)
    log.error("incident", extra={"incident": incident, "method": method[:80]}, exc_info=error)
    return errors.Internal(f"incident {incident}")


def _of_domain(error: BaseException) -> RpcError | None:  # noqa: PLR0911 - one line for each error
    match error:
        case RpcError():
            return error
        case errors.NotNow():
            return errors.Unavailable(str(error), retry_after_ms=round(1000 * error.wait))
        case errors.NotKept():
            return errors.InvalidParams(str(error), field=error.asked_by)
        case errors.UnknownStroke():
            return errors.TooLate(str(error), field="stroke")
        case errors.UndoError():
            return errors.TooLate(str(error))
        case errors.TooFast():
            return errors.RateLimited(str(error), retry_after_ms=error.wait_ms)
        case errors.NotAllowed():
            return errors.Forbidden(str(error))
        case errors.UnknownToken():
            return errors.Unauthenticated(str(error))
        case _:
            return None
