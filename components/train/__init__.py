"""Stage (classic training): XGBoost champion candidate and its scorecard fallback."""
