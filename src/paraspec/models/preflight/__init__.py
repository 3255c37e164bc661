"""What a model is and whether it can be measured, found out in seconds.

``report`` says what is found, ``facts`` describes the model, ``text`` tries the
tokenizer, ``probes`` runs one short prompt with and without masks, ``check`` does all.
"""
