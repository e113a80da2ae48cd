"""Configuration of the desk: environment variables, all of them optional."""

import os
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from credit_scoring.texts import Language

PREFIX = "DESK_"


class DeskSettingError(ValueError):
    """Environment variables have values that the desk cannot use."""


class DeskSettings(BaseSettings):
    """How the desk runs. A field is set by the variable of its name in capitals, after `DESK_`.

    Attributes:
        host: Address to listen on. Any other than loopback needs `https` or a proxy that encrypts.
        port: Port to listen on.
        workers: Processes that make pages.
        model: Folder of the exported model.
        data: Folder of the project's data.
        source: Sub-folder of each data layer, `synthetic` or `home_credit`.
        raw_folder: Folder of the source tables; that of the source below `data` if it is not set.
        folder: Where the desk keeps applicants and accounts.
        language: Of a first visit.
        first_view: Whether an officer has to note a view of their own before the proposal is shown.
        two_person_amount: Loan from which on two persons have to sign; 0 for never.
        idle_minutes: Minutes without a click after which a session ends.
        attempts: Wrong passwords after which an account is locked.
        lock_minutes: For how long.
        https: Whether browsers reach the desk by HTTPS; cookies are then never sent without.
        proxy_header: Name of the header in which a proxy says who has signed in; empty: the desk asks itself.
        proxy_address: Address of that proxy; the header is believed from no other.
        lender: Name of the lender, as letters say it.
        contact: Where customers reach the lender: lines of a letter, separated by `|`.
        place: Town of the lender, before the date of letters.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=1235, ge=1, le=65_535)
    workers: int = Field(default=2, ge=1, le=64)
    model: Path = Path("model")
    data: Path = Path("data")
    source: str = Field(default="synthetic", pattern=r"^\w+$")
    raw_folder: Path | None = None
    folder: Path = Path("data/desk")
    language: Language = "fr"
    first_view: bool = False
    two_person_amount: float = Field(default=1_500_000, ge=0)
    idle_minutes: int = Field(default=30, ge=1, le=1440)
    attempts: int = Field(default=5, ge=1, le=100)
    lock_minutes: int = Field(default=15, ge=1, le=1440)
    https: bool = False
    proxy_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    proxy_address: str = "127.0.0.1"
    lender: str = Field(default="Crédit Exemple", min_length=1)
    contact: str = "1 rue de l'Exemple, 00000 Exemple|00 00 00 00 00|conseil@credit-exemple.example"
    place: str = "Exemple"

    @property
    def raw(self) -> Path:
        """Folder of the source tables."""
        return self.raw_folder or self.data / "01_raw" / self.source

    def layer(self, name: str) -> Path:
        """Return the folder of the source in a data layer."""
        return self.data / name / self.source


def read_desk_settings() -> DeskSettings:
    """Read the variables.

    Raises:
        DeskSettingError: If one has a value that is not allowed, or is not known; with all of these.
    """
    known = [f"{PREFIX}{name.upper()}" for name in DeskSettings.model_fields]
    problems = [
        f"{name} is not a setting" for name in sorted(os.environ) if name.startswith(PREFIX) if name not in known
    ]
    try:
        settings = DeskSettings()
    except ValidationError as error:
        problems += [
            f"{PREFIX}{str(one['loc'][0]).upper()} is {one['input']!r}: {one['msg']}" for one in error.errors()
        ]
    if problems:
        bullets = "".join(f"  - {problem}.\n" for problem in problems)
        raise DeskSettingError(
            f"The desk cannot run with these settings:\n{bullets}Hint: known are {', '.join(known)}."
        )
    return settings
