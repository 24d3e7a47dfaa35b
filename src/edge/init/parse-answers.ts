import { AppError } from "../../common/errors.ts";
import type { CameraAnswer, DestinationAnswer } from "./answers.ts";

/** `rpicam`, `rpicam:1`, `/dev/video0`, `rtsp://…`, `file:/path`, `test`. Throws `invalid_input`. */
export function parseCamera(text: string): CameraAnswer {
  const rpicam = /^rpicam(?::(\d))?$/.exec(text);
  if (rpicam) return { type: "rpicam", camera: Number(rpicam[1] ?? 0) };
  if (text === "test") return { type: "test" };
  if (text.startsWith("/dev/")) return { type: "v4l2", device: text };
  if (/^rtsps?:\/\/[^/]*@/.test(text)) {
    const where = "write user:password to the file that the config's credentials will name";
    throw new AppError("invalid_input", `the camera's address has a user or password in it; ${where}`);
  }
  if (/^rtsps?:\/\//.test(text)) return { type: "rtsp", url: text };
  if (text.startsWith("file:/")) return { type: "file", path: text.slice("file:".length) };
  throw new AppError(
    "invalid_input",
    // What looks like an address may hold a password.
    `${text.includes("@") ? "this" : JSON.stringify(text)} is no camera; use rpicam, rpicam:1, /dev/video0, rtsp://HOST/PATH, file:/PATH or test`,
  );
}

const forms =
  "use /PATH, nfs://SERVER/EXPORT, smb://USER@SERVER/SHARE/PATH, or smb+client://USER@SERVER/SHARE/PATH";

/** `/mnt/nas/videos`, `nfs://nas/volume1/videos`, `smb://user@nas/share/folder`. Throws `invalid_input`. */
export function parseDestination(text: string): DestinationAnswer {
  if (text.startsWith("/")) return { type: "path", path: text };
  const refused = (why: string) => new AppError("invalid_input", `the archive ${why}; ${forms}`);
  const address = /^(nfs|smb|smb\+client):\/\/(?:([^/@]*)@)?([^/@:]+)(?::(\d{1,5}))?(?:\/(.*))?$/.exec(text);
  if (!address) throw refused("is somewhere that is not understood");
  const [, scheme, user, server = "", portText, rest = ""] = address;
  const port = portText === undefined ? undefined : Number(portText);
  const path = decoded(rest).replace(/\/+$/, "");
  if (scheme === "nfs") return { type: "nfs", server, port, export: `/${path}` };
  if (user?.includes(":")) throw refused("has a password in its address, where every user could read it");
  const [share = "", ...folders] = path.split("/");
  if (!user || share === "") throw refused("needs a user and a share");
  return {
    ...({ type: "smb", mode: scheme === "smb" ? "mount" : "client", server, port, share } as const),
    ...{ path: folders.join("/"), username: decoded(user) },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A node id that looks like the host name: a-z, 0-9, - and _. */
export function nodeIdOf(hostname: string): string {
  const id = hostname
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .slice(0, 32)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return id === "" ? "node01" : id;
}
