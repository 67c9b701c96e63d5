"""The strict reader: every physical record becomes a conversation row or a quarantine row, in order, in parallel.

files -> survey -> splits -> bytes of one record -> strict parse -> format module -> Arrow rows.
"""
