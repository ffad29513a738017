"""The connector of sqlite_endpoint.py: a module, unlike a program, is compiled once and not at each of thousands of starts."""

from sqlite_endpoint import Connector

Connector().main()
