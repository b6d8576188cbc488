from drf_spectacular.openapi import AutoSchema


class ReadingSchema(AutoSchema):
    pass
