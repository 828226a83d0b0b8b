"""An invented city: nobody in it exists, and every date hangs together. ``load()`` fills an empty database."""
