"""Load the invented city of the demonstration into an empty database."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from pre_cases.demo.calendar import Targets
from pre_cases.demo.load import NotEmpty, is_loaded, load

EARLIEST = date(2017, 9, 1)  # the past of the demonstration ends in 2016


class Command(BaseCommand):
    help = "Charge une ville inventée dans une base vide ; ne fait rien si elle y est déjà."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="graine du hasard (1 par défaut)")
        parser.add_argument("--today", help="le jour où se place la démonstration, AAAA-MM-JJ (aujourd’hui par défaut)")
        parser.add_argument("--scale", type=float, default=1.0, help="part des enfants à inventer, de 0.01 à 1")

    def handle(self, *args: Any, **options: Any) -> None:
        today = checked_day(options["today"])
        scale = options["scale"]
        if not 0.01 <= scale <= 1:
            raise CommandError("La part des enfants à inventer va de 0.01 à 1.")
        if is_loaded():
            self.stdout.write("La démonstration est déjà chargée.")
            return
        began = time.monotonic()
        try:
            loaded = load(
                seed=options["seed"],
                today=today,
                targets=Targets().scaled(scale),
                say=lambda line: self.stdout.write(line),
            )
        except NotEmpty as refusal:
            raise CommandError(str(refusal)) from refusal
        seconds = round(time.monotonic() - began)
        self.stdout.write(f"Démonstration chargée : {loaded.children} enfants en {seconds} secondes.")


def checked_day(text: str | None) -> date:
    """The day asked for, today by default; neither future nor before the demonstration's years."""
    today = timezone.localdate()
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"« {text} » n’est pas une date : écrivez AAAA-MM-JJ.") from error
    if not EARLIEST <= day <= today:
        raise CommandError(f"La démonstration se place entre le {EARLIEST:%d/%m/%Y} et aujourd’hui.")
    return day
