"""Requests and answers of the authenticated HTTP between the services: one module per owner, used by both sides.

Every request names the tenant: in the body where there is one, else as the query parameter `tenant_id`. An owner
answers 404 for what another tenant owns, and errors as RFC 9457 problems. The table of routes stands at the top of
each module.
"""
