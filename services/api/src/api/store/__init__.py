"""All SQL of the gateway. Every statement on a tenant's rows names the tenant."""
