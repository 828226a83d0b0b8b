"""How a permission is checked: the same scope that the list uses, asked about one record."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models

from referents.models import User


class ScopeBackend(BaseBackend):
    """``user.has_perm("pre_cases.view_parcours", parcours)`` asks the scope named in ``permission_scopes``.

    Without a record nothing is ever granted: no right holds on a whole model. It is the only judge: what it does not
    grant raises PermissionDenied, at which Django asks no other backend, and ``has_perm`` answers False. The rows of
    django.contrib.auth (permissions of an account, groups) open nothing.
    """

    def authenticate(self, request: object, **credentials: object) -> None:
        return None

    def has_perm(self, user_obj: User | AnonymousUser, perm: str, obj: Any = None) -> bool:
        if not self._holds(user_obj, perm, obj):
            raise PermissionDenied
        return True

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        raise PermissionDenied

    def _holds(self, user_obj: User | AnonymousUser, perm: str, obj: Any) -> bool:
        if not isinstance(obj, models.Model) or not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        scope = getattr(type(obj), "permission_scopes", {}).get(perm)
        if scope is None or user_obj.standing.needs_charter:
            return False
        manager: Any = type(obj)._default_manager
        return bool(getattr(manager.all(), scope)(user_obj).filter(pk=obj.pk).exists())
