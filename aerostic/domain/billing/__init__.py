"""Money: wallets, the ledger behind them, prices, and what each message costs."""
