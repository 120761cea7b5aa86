"""From changes, which a person reviews, to operations, which a machine performs: encoding, order, chunks. Pure."""
