"""The only places that know an outside system; picked by URI scheme, embedded and cluster alike."""
