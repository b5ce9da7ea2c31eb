"""The query language: statement text to plan, plan to rows."""
