"""paraspec: how a language model's MLP value vectors share out what it knows."""
