"""A second implementation of what the attacks need, in plain Python: DER, keys, certificates, CMS, PDF. Nothing here is shared
with the program under test, and everything can be made wrong on purpose."""
