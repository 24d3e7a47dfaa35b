/** Long options of rpicam-vid that are ours: output, codec, container, timing, and what the config has fields for. */
const taken = [
  ...["output", "codec", "libav-format", "libav-video-codec", "libav-audio", "audio-source", "audio-device"],
  ...[
    "audio-codec",
    "timeout",
    "frames",
    "segment",
    "split",
    "circular",
    "wrap",
    "save-pts",
    "listen",
    "intra",
  ],
  ...["keypress", "signal", "initial", "config", "help", "version", "list-cameras", "metadata"],
  ...["nopreview", "preview", "fullscreen", "qt-preview"],
  ...["camera", "width", "height", "framerate", "bitrate", "rotation", "autofocus-mode", "tuning-file"],
];

/**
 * Those of the extra options that may not be given. rpicam-vid takes any unique beginning of a long option for the
 * option (Boost.Program_options), so `--outp` is refused like `--output`; short options are refused altogether.
 */
export function refusedRpicamOptions(options: readonly string[]): string[] {
  return options.filter((option) => {
    if (!option.startsWith("-") || /^-\.?\d/.test(option)) return false;
    if (!option.startsWith("--")) return true;
    const name = option.slice(2).split("=", 1)[0] ?? "";
    return taken.some((own) => own.startsWith(name.toLowerCase()));
  });
}
