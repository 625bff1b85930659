-- A free device of a kind is found at once, however many are reserved or of another kind.
CREATE INDEX device_free ON device (state, kind, subscriber, number);
