"""Which way a call goes: modes, when loading pays, and the roads that functions take."""
