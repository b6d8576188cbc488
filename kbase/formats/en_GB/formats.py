# Days are typed as ISO 8601 writes them: 03/04/2025 is two days, depending on who reads it.
DATE_INPUT_FORMATS = ["%Y-%m-%d"]
DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "j F Y, H:i"
