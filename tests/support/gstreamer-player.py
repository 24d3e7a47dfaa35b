"""Plays an address with GStreamer to its end, as fast as it goes, and prints how many pictures were decoded.

gstreamer-player.py URL PICTURES KBIT, where live streams end after so many pictures (0: at their end), and the quality is
chosen as for a network of so many kbit/s (0: the first).
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

Gst.init(None)
pictures = 0
wanted = int(sys.argv[2]) or None
loop = GLib.MainLoop()
failure = None


def on_picture(*_):
    global pictures
    pictures += 1
    if pictures == wanted:
        loop.quit()


def on_message(_bus, message):
    global failure
    if message.type == Gst.MessageType.ERROR:
        failure = message.parse_error()
        loop.quit()
    elif message.type == Gst.MessageType.EOS:
        loop.quit()


player = Gst.ElementFactory.make("playbin", None)
sink = Gst.ElementFactory.make("fakesink", None)
sink.set_property("signal-handoffs", True)
sink.set_property("sync", False)
sink.connect("handoff", on_picture)
quiet = Gst.ElementFactory.make("fakesink", None)
quiet.set_property("sync", False)
player.set_property("video-sink", sink)
player.set_property("audio-sink", quiet)
player.set_property("connection-speed", int(sys.argv[3]))
player.set_property("uri", sys.argv[1])
bus = player.get_bus()
bus.add_signal_watch()
bus.connect("message", on_message)
player.set_state(Gst.State.PLAYING)
loop.run()
player.set_state(Gst.State.NULL)
if failure is not None:
    sys.exit(str(failure))
print(pictures)
