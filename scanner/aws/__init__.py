"""AWS: the only room that knows the SDK. Calls go out, and our own types come back."""
