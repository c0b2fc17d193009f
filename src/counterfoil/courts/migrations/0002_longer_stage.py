"""The sentence that says how far a bundle is was longer than its column, which PostgreSQL refuses."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courts", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="bundle",
            name="stage",
            field=models.CharField(blank=True, max_length=120),
        ),
    ]
