"""Factbook: real concepts and questions from pinned libraries."""
