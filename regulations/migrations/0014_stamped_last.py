"""A change gets its moment when all else that waits for the commit is done.

Who is stamped holds the lock until all can see it, and other commits wait. Deferred triggers fire in the order in which
they were queued, so that of a large load all checks of foreign keys, queued after its change was begun, ran under the
lock. What is queued while they fire comes after all of them: so the trigger only asks for another one, which stamps.
"""

from django.db import migrations

LAST = """
CREATE FUNCTION regulations_stamp_last() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE regulations_change SET transaction_id = transaction_id WHERE id = NEW.id;
    RETURN NULL;
END
$$;
DROP TRIGGER change_stamp ON regulations_change;
CREATE CONSTRAINT TRIGGER change_stamp AFTER INSERT ON regulations_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regulations_stamp_last();
CREATE CONSTRAINT TRIGGER change_stamp_last AFTER UPDATE OF transaction_id ON regulations_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regulations_stamp_change()
"""

AT_ONCE = """
DROP TRIGGER change_stamp_last ON regulations_change;
DROP TRIGGER change_stamp ON regulations_change;
CREATE CONSTRAINT TRIGGER change_stamp AFTER INSERT ON regulations_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regulations_stamp_change();
DROP FUNCTION regulations_stamp_last()
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0013_search_likely")]

    operations = [migrations.RunSQL(LAST, AT_ONCE)]
