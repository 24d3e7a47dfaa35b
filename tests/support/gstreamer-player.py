"""Plays an address with GStreamer to its end, as fast as it goes, and prints how many pictures were decoded.

gstreamer-player.py URL [PICTURES], where live streams end after so many, with the value of the Authorization header on stdin: GStreamer does not hand it from
the playlist on to the parts, so each new source gets it.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

Gst.init(None)
authorization = sys.stdin.read().strip()
pictures = 0
wanted = int(sys.argv[2]) if len(sys.argv) > 2 else None
loop = GLib.MainLoop()
failure = None


def on_element(_bin, _sub_bin, element):
    factory = element.get_factory()
    if factory is not None and factory.get_name() == "souphttpsrc":
        headers = Gst.Structure.new_empty("headers")
        headers.set_value("Authorization", authorization)
        element.set_property("extra-headers", headers)


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
player.connect("deep-element-added", on_element)
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
