import { readSync } from "node:fs";
import { open } from "node:fs/promises";
import { errnoOf } from "../../src/common/errors.ts";
import { openKernelPipe } from "../../src/edge/camera/kernel-pipe.ts";
import { growPipe } from "../../src/edge/camera/pipe-size.ts";

/**
 * The least a recorder of this runtime can be: takes what ffmpeg wrote once a second in one read, hashes it, writes it to
 * one file, and syncs that every other second. It looks at nothing, and tells nobody. Arguments: the video, the file.
 */
export async function recordBarely(): Promise<void> {
  const [sample = "", path = ""] = process.argv.slice(2);
  const pipe = await openKernelPipe({ isPolled: true });
  growPipe(pipe.readEnd, 1024 * 1024);
  Bun.spawn(
    ["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1"]
      .concat(["-i", sample, "-c", "copy", "-f", "mp4"])
      .concat(["-movflags", "frag_keyframe+empty_moov+default_base_moof+skip_trailer", "pipe:1"]),
    { stdin: "ignore", stdout: pipe.writeEnd, stderr: "inherit" },
  );
  const file = await open(path, "wx");
  const buffer = new Uint8Array(1024 * 1024);
  const hasher = new Bun.CryptoHasher("sha256");
  for (let second = 1; ; second++) {
    await Bun.sleep(1000);
    const length = readAvailable(pipe.readEnd, buffer);
    hasher.update(buffer.subarray(0, length));
    await file.write(buffer, 0, length);
    if (second % 2 === 0) await file.sync();
  }
}

function readAvailable(fileDescriptor: number, target: Uint8Array): number {
  try {
    return readSync(fileDescriptor, target);
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return 0;
    throw error;
  }
}
