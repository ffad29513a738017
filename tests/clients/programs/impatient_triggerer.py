"""`airflow triggerer`, whose Airbyte trigger asks every 0.2 s. The provider's 60 s are written into its operators."""

import asyncio
import sys

import airflow.providers.airbyte.triggers.airbyte as triggers
from airflow.__main__ import main


class Impatient:
    def __getattr__(self, name):
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds):
        await asyncio.sleep(min(seconds, 0.2))


triggers.asyncio = Impatient()
sys.argv = ["airflow", "triggerer", "--skip-serve-logs"]
main()
