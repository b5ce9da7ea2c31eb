"""Takes orders, payouts and products from sales channels and normalises them."""
