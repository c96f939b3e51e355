"""Measuring: how good fakes are (metrics, classifier), what a network costs, tables of both."""
