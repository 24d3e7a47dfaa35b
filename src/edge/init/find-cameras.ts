import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { FoundCamera } from "./answers.ts";

export interface FindCamerasOptions {
  /** What a program prints; undefined when it is not there, or fails. */
  outputOf: (argv: readonly string[]) => Promise<string | undefined>;
  /** Where `/sys` is; another folder in tests. */
  root?: string;
}

/** The cameras of this machine: those on ribbon cables by rpicam-apps, those on USB by the kernel. Never rejects. */
export async function findCameras({ outputOf, root = "/" }: FindCamerasOptions): Promise<FoundCamera[]> {
  const listing = await outputOf(["rpicam-vid", "--list-cameras"]);
  const usb = await findUsbCameras(join(root, "sys/class/video4linux"));
  return [...parseRpicamListing(listing ?? ""), ...usb];
}

/** `0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/…/imx708@1a)`. USB cameras, which it lists too, are left out. */
export function parseRpicamListing(text: string): FoundCamera[] {
  return [...text.matchAll(/^(\d) : (\S+) .*\((\S+)\)\s*$/gm)]
    .filter(([, , , path]) => !/usb/i.test(path ?? ""))
    .map(([, index, name = ""]) => ({ text: `rpicam:${index}`, name }));
}

/** A camera has several devices, the first for pictures. A Pi has many more that are no cameras; none of them is on USB. */
async function findUsbCameras(folder: string): Promise<FoundCamera[]> {
  const devices = await readdir(folder).catch((): string[] => []);
  const found: FoundCamera[] = [];
  for (const device of devices.sort((a, b) => a.localeCompare(b, "en", { numeric: true }))) {
    const path = join(folder, device);
    const bus = await realpath(join(path, "device")).catch(() => "");
    const index = await readFile(join(path, "index"), "utf8").catch(() => "");
    if (!bus.includes("/usb") || index.trim() !== "0") continue;
    const name = (await readFile(join(path, "name"), "utf8").catch(() => "")).trim();
    found.push({ text: `/dev/${device}`, name: name || "USB camera" });
  }
  return found;
}
