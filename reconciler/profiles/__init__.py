"""How a service provider deviates from the RFCs, as validated data. The core reads profiles and knows no provider."""
