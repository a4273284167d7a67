"""Requests to a server under test."""

import http.client


def asking(server, seconds=30):
    """Function of method, path, body and headers -> (status, headers, content); `server.port` is asked each time."""

    def ask(method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=seconds)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, response.headers, content

    return ask
