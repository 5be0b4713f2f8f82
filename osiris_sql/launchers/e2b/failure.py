"""What went wrong between here and the sandbox, in words for the person."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from osiris_sql.support.one_line import one_line
from osiris_sql.types.diagnostic import Diagnostic, UnreachableError

ATTEMPTS = 4
T = TypeVar("T")


class LostError(UnreachableError):
    """The sandbox is gone, or can't be reached any more: what it did not say is unknown."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is left of a worker that ended without its last word: its log's end, what the machine lacked."""

    log: str
    lacked_memory: bool = False
    lacked_disk: bool = False


def is_gone(error: Exception) -> bool:
    """Say whether the sandbox does not exist any more."""
    from e2b.exceptions import SandboxNotFoundException, SandboxNotRunningException

    return isinstance(error, SandboxNotRunningException | SandboxNotFoundException)


def is_passing(error: Exception) -> bool:
    """Say whether the same call may well succeed in a moment."""
    import httpx
    from connectrpc.code import Code
    from connectrpc.errors import ConnectError
    from e2b.exceptions import RateLimitException, SandboxException, ServiceBusyException, TimeoutException

    if is_gone(error):
        return False
    if isinstance(error, RateLimitException | ServiceBusyException | TimeoutException):
        return True
    if isinstance(error, SandboxException) and getattr(error, "status_code", None) in (409, 500, 502, 504):
        return True
    # A call to the sandbox that was answered with 500 says so in the error that it came from alone.
    if isinstance(error.__context__, ConnectError) and error.__context__.code in (
        Code.INTERNAL,
        Code.UNKNOWN,
    ):
        return True
    return isinstance(error, httpx.TransportError | ConnectError | ConnectionError | TimeoutError)


def is_refused(error: Exception) -> bool:
    """Say whether nobody answers at all: the SDK has tried that several times already."""
    import httpx

    return isinstance(error, httpx.ConnectError)


def insist(call: Callable[[], T], doing: str) -> T:
    """Return what a call that is safe to repeat gives; raises UnreachableError after some attempts."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except Exception as error:
            if attempt == ATTEMPTS - 1 or not is_passing(error) or is_refused(error):
                raise explain(error, doing) from error
            time.sleep(0.25 * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def explain(error: Exception, doing: str) -> UnreachableError:
    """Return a failure of the SDK as a diagnostic; `doing` says what was tried."""
    from e2b.exceptions import (
        AuthenticationException,
        BuildException,
        NotEnoughSpaceException,
        RateLimitException,
        ServiceBusyException,
    )

    why = one_line(error) or type(error).__name__
    if isinstance(error, AuthenticationException):
        rule, fix = "e2b-auth", "check E2B_API_KEY"
    elif isinstance(error, RateLimitException | ServiceBusyException):
        rule, fix = "e2b-busy", "try again in a minute, or raise the limits of your E2B account"
    elif isinstance(error, NotEnoughSpaceException):
        rule, fix = "e2b-disk", "take a template with more disk"
    elif is_gone(error):
        return lost(why)
    elif isinstance(error, BuildException):
        rule, fix = "e2b-template-build", "the build's log is on E2B's dashboard"
    elif "template" in why.lower():
        rule, fix = "e2b-template", "osiris-sql doctor --on e2b --make-template"
    else:
        rule, fix = "e2b-unreachable", "check the network, E2B_API_URL and E2B_DOMAIN"
    return UnreachableError(Diagnostic(rule=rule, message=f"E2B failed while {doing}", why=why, fix=fix))


def lost(why: str) -> LostError:
    """Return what to say when the sandbox ended before the run did."""
    return LostError(
        Diagnostic(
            rule="e2b-lost",
            message="the sandbox was lost before the run ended",
            why=f"{why}. Steps without an end are unknown, not failed",
            fix="build again: what was published already is not published twice",
        )
    )


def crashed(exit_code: str, found: Evidence) -> UnreachableError:
    """Return what to say when the worker ended without its last word."""
    if found.lacked_memory:
        message, rule = "the sandbox is out of memory: its kernel killed the worker", "e2b-memory"
        fix = "take a template with more memory, or set memory_limit below it"
    elif found.lacked_disk:
        message, rule, fix = "the sandbox's disk is full", "e2b-disk", "take a template with more disk"
    elif exit_code == "137":
        message, rule = "the worker was killed in the sandbox, and not for want of memory", "e2b-killed"
        fix = "build again; what was published already is not published twice"
    else:
        message, rule = "the worker ended in the sandbox without a result", "e2b-crashed"
        fix = "please report it, with the files of this run's folder"
    why = f"exit code {exit_code or 'unknown'}; the end of its log:\n{found.log.strip() or '(empty)'}"
    return UnreachableError(Diagnostic(rule=rule, message=message, why=why, fix=fix))


def not_the_same(wrong: Sequence[Mapping[str, str]]) -> UnreachableError:
    """Return what to say when here and there differ, one diagnostic each."""
    return UnreachableError(
        *(
            Diagnostic(
                rule="e2b-not-the-same",
                message=f"{each['what']} in the sandbox is not the same as here",
                why=f"here {each['there']}, in the sandbox {each['here']}; the sandbox was killed",
                fix="if a version differs: osiris-sql doctor --on e2b --make-template",
            )
            for each in wrong
        )
    )
