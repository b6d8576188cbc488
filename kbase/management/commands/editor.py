import getpass
import os
import sys

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Create an editor who may do everything in the admin. EDITOR_NAME and EDITOR_PASSWORD answer the questions."

    def handle(self, **options):
        call_command("migrate", interactive=False, verbosity=0)
        name = os.environ.get("EDITOR_NAME") or ask("Name: ", input)
        if get_user_model().objects.filter(username=name).exists():
            raise CommandError(
                f"There already is an editor {name}. `manage.py changepassword {name}` sets a new password."
            )
        editor = get_user_model()(username=name, is_staff=True, is_superuser=True)
        password = os.environ.get("EDITOR_PASSWORD") or ask_password()
        try:
            validate_password(password, editor)
            editor.set_password(password)
            editor.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        editor.save()
        self.stdout.write(f"{name} can now log in at /admin/.")


def ask(question, how):
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to ask: set EDITOR_NAME and EDITOR_PASSWORD.")
    try:
        return how(question)
    except (KeyboardInterrupt, EOFError) as error:
        raise CommandError("Nothing was created.") from error


def ask_password():
    password = ask("Password: ", getpass.getpass)
    if password != ask("Once more: ", getpass.getpass):
        raise CommandError("The two passwords differ; nothing was created.")
    return password
