"""The books: postings, tax, stock cost, currency. Every posting sums to zero in home currency."""
