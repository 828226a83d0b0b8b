"""``{{ value|day }}``, ``|long_day`` and ``|instant``, known to every page without ``{% load %}``."""

from django import template

from referents import days

register = template.Library()
register.filter("day", days.day)
register.filter("long_day", days.long_day)
register.filter("instant", days.instant)
