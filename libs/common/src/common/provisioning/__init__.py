"""What an administrator prepares before the services start: their database roles and schemas, their broker users.

`python -m common.provisioning` does it in production, the sandbox and the tests do it through the same two functions.
"""

from common.provisioning.postgres import provision_database
from common.provisioning.rabbitmq import provision_broker

__all__ = ["provision_broker", "provision_database"]
