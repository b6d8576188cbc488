"""What was not in force yet on a day is passed over within the index."""

from django.db import migrations, models
from django.db.models import F
from django.db.models.expressions import Func, Value
from django.db.models.functions import Cast


class Migration(migrations.Migration):
    dependencies = [("regulations", "0028_kept_plans")]

    operations = [
        # The new column writes the table anew; its indexes are made once, afterwards.
        migrations.RemoveIndex("policyfacet", "policyfacet_newest"),
        migrations.RemoveIndex("policyfacet", "policyfacet_newest_by_place"),
        migrations.AddField(
            "policyfacet",
            "in_force_from",
            models.GeneratedField(
                expression=Func(
                    F("days"),
                    Func(F("statuses"), Cast(Value(8), models.SmallIntegerField()), function="array_position"),
                    template="(%(expressions)s]",
                    arg_joiner=")[",
                ),
                output_field=models.DateField(null=True),
                db_persist=True,
                help_text="The first day on which it is in force.",
            ),
        ),
        migrations.AddIndex(
            "policyfacet",
            models.Index(
                F("topic_id"),
                F("introduced_on").desc(nulls_last=True),
                F("slug"),
                F("in_force_from"),
                name="policyfacet_newest",
                include=["policy", "jurisdiction", "kind", "days", "statuses"],
            ),
        ),
        migrations.AddIndex(
            "policyfacet",
            models.Index(
                F("topic_id"),
                F("jurisdiction"),
                F("introduced_on").desc(nulls_last=True),
                F("slug"),
                F("in_force_from"),
                name="policyfacet_newest_by_place",
                include=["policy", "kind", "days", "statuses"],
            ),
        ),
    ]
