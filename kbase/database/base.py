from pathlib import Path

from django.db.backends.postgresql import base, client

from kbase import embedded


class DatabaseClient(client.DatabaseClient):
    """`manage.py dbshell` with the psql that comes along."""

    executable_name = "psql"

    @classmethod
    def settings_to_cmd_args_env(cls, settings_dict, parameters):
        _server(settings_dict).hold()
        arguments, environment = super().settings_to_cmd_args_env(settings_dict, parameters)
        return [str(embedded.binaries() / "psql"), *arguments[1:]], environment


class DatabaseWrapper(base.DatabaseWrapper):
    client_class = DatabaseClient

    def get_connection_params(self):
        parameters = super().get_connection_params()
        parameters.pop("data_folder")
        return parameters

    def get_new_connection(self, conn_params):
        server = _server(self.settings_dict)
        server.hold()
        try:
            return super().get_new_connection(conn_params)
        except base.Database.OperationalError:
            # Somebody, or the system, may have ended the server since.
            revive(server)
            return super().get_new_connection(conn_params)


def revive(server):
    try:
        server.revive()
    except embedded.EmbeddedError as error:
        raise base.Database.OperationalError(str(error)) from error


def _server(settings_dict):
    return embedded.server_in(Path(settings_dict["OPTIONS"]["data_folder"]))
