"""The pytest plugin: fixtures named `pubsub*`. plugin.py is what pytest loads; handle.py is what the fixtures give."""
