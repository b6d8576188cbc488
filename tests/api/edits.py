"""Random edits of any rows by every door there is, each committed by itself."""

import json
from datetime import timedelta

from django.apps import apps
from django.db import Error, connection, models, transaction
from django.db.models import ProtectedError

from regulations.models import Change, Revision, change

WORDS = ["Alpha", "Beta 50%", "Zürich", "香港", "it's", ""]


def watched_models():
    """The models whose rows' changes are written down; relations that Django keeps by itself are among them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'revision_insert'")
        tables = {table for (table,) in cursor.fetchall()}
    found = apps.get_app_config("regulations").get_models(include_auto_created=True)
    return [model for model in found if model._meta.db_table in tables]


class Editor:
    """Makes changes that a seeded random chooses; those that a rule forbids leave nothing behind."""

    def __init__(self, random):
        self.random, self.models = random, watched_models()

    def edit(self):
        """Make one change, of any kind; say which it was, or None if a rule forbade it."""
        doors = [self.reword, self.reword, self.move_date, self.move_date, self.rename, self.delete, self.restore]
        door = self.random.choice([*doors, self.bulk, self.raw_sql, self.relate, self.revert])
        try:
            with change(actor="editor", kind=self.random.choice(list(Change.Kind)), reason=door.__name__):
                door()
        except (Error, ProtectedError):
            return None
        return door.__name__

    def row(self, *candidates):
        rows = [row for model in candidates or self.models for row in model._base_manager.order_by("pk")[:30]]
        return self.random.choice(rows)

    def reword(self):
        row = self.row()
        texts = [
            field
            for field in row._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
            and not field.choices
            and field.name in ("name", "title", "summary", "abbreviation", "reference", "locator", "legal_name")
        ]
        if texts:
            setattr(row, self.random.choice(texts).attname, self.random.choice(WORDS) or "Word")
            row.save()

    def move_date(self):
        """Often a back-dated correction: the world was another than we had said."""
        row = self.row()
        dates = [
            field
            for field in row._meta.concrete_fields
            if type(field) is models.DateField and getattr(row, field.attname)
        ]
        if dates:
            name = self.random.choice(dates).attname
            setattr(row, name, getattr(row, name) + timedelta(self.random.choice([-31, -1, 1, 30])))
            row.save()

    def rename(self):
        row = self.row(*(model for model in self.models if _key_of(model)))
        name = _key_of(type(row))
        if name != "code":
            setattr(row, name, f"{getattr(row, name)[:40]}-{self.random.randint(0, 99)}")
            row.save()

    def delete(self):
        self.row().delete()

    def restore(self):
        gone = self.random.choice(list(Revision.objects.filter(after__isnull=True).order_by("pk")) or [None])
        if gone:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {gone.table} SELECT * FROM jsonb_populate_record(NULL::{gone.table}, %s)",
                    [json.dumps(gone.before)],
                )

    def revert(self):
        changed = Revision.objects.filter(before__isnull=False, after__isnull=False).order_by("pk")
        revision = self.random.choice(list(changed))
        columns = ", ".join(f'"{name}"' for name in revision.before)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {revision.table} SET ({columns}) = (SELECT {columns} FROM"
                f" jsonb_populate_record(NULL::{revision.table}, %s)) WHERE id = %s",
                [json.dumps(revision.before), revision.row_id],
            )

    def bulk(self):
        row = self.row(*(model for model in self.models if _has(model, "summary")))
        type(row)._base_manager.filter(pk__lte=row.pk).update(summary=self.random.choice(WORDS))

    def raw_sql(self):
        model = self.random.choice([each for each in self.models if _has(each, "summary")])
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {model._meta.db_table} SET summary = summary || '.' WHERE id %% 3 = 0", [])

    def relate(self):
        row = self.row(*(model for model in self.models if model._meta.many_to_many))
        relation = self.random.choice(row._meta.many_to_many)
        targets = list(relation.related_model._base_manager.order_by("pk")[:10])
        getattr(row, relation.name).set(self.random.sample(targets, min(3, len(targets))))


def _key_of(model):
    return next((name for name in ("slug", "code", "key") if _has(model, name)), None)


def _has(model, name):
    return any(field.name == name for field in model._meta.concrete_fields)


def snapshot():
    """Every watched row as JSON by its table, and a moment after the last change."""
    rows = {}
    with transaction.atomic(), connection.cursor() as cursor:
        for model in watched_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT coalesce(jsonb_agg(to_jsonb(row)), '[]')::text FROM {table} AS row")
            rows[table] = cursor.fetchone()[0]
        cursor.execute("SELECT clock_timestamp()")
        return rows, cursor.fetchone()[0]


def write(rows):
    """Put the rows of a snapshot into an empty database."""
    with connection.cursor() as cursor:
        for table, text in rows.items():
            cursor.execute(
                f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)", [text]
            )
