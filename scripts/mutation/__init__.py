"""Mutation testing of the pure core: mutmut's mutants, tried in forks of one collected test run. See decision 0013."""
