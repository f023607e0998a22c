"""What is made of results: tables, the page, its plot and index, and the runs behind them."""
