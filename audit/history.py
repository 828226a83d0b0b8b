"""What each personal record was before: django-simple-history with our defaults, and an author for every change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, models, transaction
from simple_history import utils
from simple_history.manager import HistoryDescriptor
from simple_history.models import HistoricalRecords

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

SYSTEM_EMAIL = "system@marelle.invalid"

M = TypeVar("M", bound=models.Model)

_actor: ContextVar[AbstractBaseUser | None] = ContextVar("actor", default=None)


class MissingActor(RuntimeError):
    """A tracked record is written outside ``acting_as()``: nobody could answer for the change."""


@contextmanager
def acting_as(user: AbstractBaseUser) -> Iterator[None]:
    """Every tracked change made inside is signed by this person; may be nested, the former actor comes back."""
    if user is None or not user.is_authenticated:
        raise MissingActor("A change needs a signed-in person, or the system account.")
    token = _actor.set(user)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> AbstractBaseUser:
    """The person of the innermost ``acting_as()``; raises MissingActor outside."""
    actor = _actor.get()
    if actor is None:
        raise MissingActor("No actor: call a service, or use acting_as().")
    return actor


def actor_or_none() -> AbstractBaseUser | None:
    """The person of the innermost ``acting_as()``, or None outside: only the journal may do without."""
    return _actor.get()


def system_account() -> Any:
    """The inactive account under which commands and tasks of the installation act; made at its first use.

    It is its own author: the row exists when its history is written, so no other account is needed before it.
    """
    model = get_user_model()
    wanted = {model.USERNAME_FIELD: SYSTEM_EMAIL}
    manager = model._default_manager
    account = manager.filter(**wanted).first()
    if account is not None:
        return account
    account = model(**wanted, is_active=False)
    account.set_unusable_password()
    try:
        with transaction.atomic(), acting_as(account):
            account.save(force_insert=True)
    except IntegrityError:  # another process has just made it
        return manager.get(**wanted)
    return account


class _Manager(HistoryDescriptor):
    """The library's descriptor makes a class at each access, a sixth of the time of a save; here it is made once."""

    def __init__(self, library: HistoryDescriptor) -> None:
        super().__init__(library.model, library.manager_class, library.queryset_class)
        self._made = self.manager_class.from_queryset(self.queryset_class)

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        return self._made(self.model, instance)


class History(HistoricalRecords):
    """``history = History()``: one row per saved version, with its author; ``excluded_fields`` as in the library.

    A tracked save or deletion outside ``acting_as()`` raises MissingActor, and nothing is written. A save limited
    by ``update_fields`` to excluded fields leaves no row. ``history_change_reason`` holds a code, never a typed text.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("history_id_field", models.BigAutoField())
        super().__init__(*args, **kwargs)

    # -- the historical model -----------------------------------------------------------------------------------------

    def _get_history_user_fields(self) -> dict[str, Any]:
        """Written once and never touched again, whatever becomes of the account."""
        author = models.ForeignKey(
            settings.AUTH_USER_MODEL,
            on_delete=models.DO_NOTHING,
            related_name="+",
            db_constraint=False,
            db_index=False,
            null=True,
        )
        return {"history_user": author}

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """The tracked columns without their indexes: history is read by record and date only."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            field.db_index = False
        return fields

    @property
    def _date_indexing(self) -> bool:
        return False

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        pk = model._meta.pk
        assert pk is not None  # noqa: S101 - a prepared model has one
        return {
            **super().get_meta_options(model),
            "indexes": [models.Index(fields=[pk.name, "history_date"])],
            "default_permissions": (),
        }

    def create_history_model(self, model: type[models.Model], inherited: bool) -> Any:
        history_model = super().create_history_model(model, inherited)
        history_model.is_made_by_history = True  # what the system check looks for
        return history_model

    # -- the actor ----------------------------------------------------------------------------------------------------

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        super().finalize(sender, **kwargs)
        library = vars(sender).get(self.manager_name)
        if isinstance(library, HistoryDescriptor):
            setattr(sender, self.manager_name, _Manager(library))
        if self.cls is sender or (self.inherit and issubclass(sender, self.cls)):
            models.signals.pre_save.connect(self.refuse_unsigned_save, sender=sender, weak=False)

    def get_history_user(self, instance: models.Model) -> AbstractBaseUser:
        return current_actor()

    def refuse_unsigned_save(self, instance: models.Model, **kwargs: Any) -> None:
        """Before the row is written: in autocommit, refusing afterwards would leave it there (a deletion is undone)."""
        if not kwargs.get("raw") and self._is_tracked(instance, kwargs.get("update_fields")):
            current_actor()

    def post_save(self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any) -> None:
        if self._is_tracked(instance, kwargs.get("update_fields")):
            super().post_save(instance, created, using=using, **kwargs)

    def _is_tracked(self, instance: models.Model, update_fields: frozenset[str] | None) -> bool:
        if hasattr(instance, "skip_history_when_saving"):
            return False
        if update_fields is None:
            return True
        excluded = [instance._meta.get_field(name) for name in self.excluded_fields]
        names = {field.name for field in excluded} | {getattr(field, "attname", field.name) for field in excluded}
        return not update_fields <= names


def bulk_create_with_history(
    records: Sequence[M], model: type[M], *, batch_size: int | None = None, reason: str | None = None
) -> list[M]:
    """Insert many records and their first history rows, signed by the current actor; ``reason`` is a code.

    The history is copied from the instances: encrypted values are those just set on them.
    """
    made: list[M] = _bulk(utils.bulk_create_with_history, records, model, batch_size, reason)
    return made


def bulk_update_with_history(
    records: Sequence[M],
    model: type[M],
    fields: Sequence[str],
    *,
    batch_size: int | None = None,
    reason: str | None = None,
) -> int:
    """Update some clear-text fields of many records with their history; gives the number of rows.

    The keys of the records must be loaded; encrypted fields refuse a bulk update and are saved one by one.
    """
    rows: int = _bulk(utils.bulk_update_with_history, records, model, batch_size, reason, fields=fields)
    return rows


def _bulk(
    function: Callable[..., Any],
    records: Sequence[models.Model],
    model: type[models.Model],
    batch_size: int | None,
    reason: str | None,
    **options: Any,
) -> Any:
    actor = current_actor()
    return function(records, model, batch_size=batch_size, default_user=actor, default_change_reason=reason, **options)
