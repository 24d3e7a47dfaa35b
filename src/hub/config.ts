import { resolve } from "node:path";
import * as v from "valibot";
import { loadConfigFile } from "../common/config-file.ts";
import { AppError } from "../common/errors.ts";
import { checkInput } from "../common/input-issues.ts";

const absolutePath = v.pipe(
  v.string(),
  v.maxLength(4096),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL ends a path in the kernel
  v.regex(/^\/[^\u0000]*$/, "an absolute path"),
);

/** `0.0.0.0:8080`, `[::1]:8080`, `127.0.0.1:0` for any free port. */
const Listen = v.pipe(
  v.string(),
  v.regex(
    /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
    "an address and a port such as 0.0.0.0:8080 or [::1]:8080",
  ),
  v.transform((text) => {
    const colon = text.lastIndexOf(":");
    return { hostname: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
  }),
  v.check(({ port }) => port <= 65_535, "a port up to 65535"),
);

const PublicUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  }, "an address without a path such as https://cams.example.org"),
  v.transform((text) => new URL(text).origin),
);

const integerIn = (min: number, max: number, unit: string) =>
  v.pipe(
    v.number(),
    v.safeInteger(`a whole number of ${unit}`),
    v.minValue(min, `at least ${min} ${unit}`),
    v.maxValue(max, `at most ${max} ${unit}`),
  );

export const HubConfig = v.strictObject({
  listen: v.optional(Listen, "0.0.0.0:8080"),
  /** Catalog and everything else the hub remembers; a local disk. */
  data_path: v.optional(absolutePath, "/data"),
  /** Root of the archive: a mounted share, or a local folder. */
  archive_path: v.optional(absolutePath, "/videos"),
  /**
   * Whether the hub reads the archive itself (`inline`) or through processes that may hang in its place (`workers`);
   * `auto`: through workers where it lies on NFS, SMB or FUSE.
   */
  archive_access: v.optional(v.picklist(["auto", "inline", "workers"]), "auto"),
  /**
   * The small pictures of a video for dragging along it: made in the `background` for every new video, `on_demand` when
   * somebody looks, or `off`.
   */
  previews: v.optional(v.picklist(["background", "on_demand", "off"]), "background"),
  /** Where browsers reach the hub, when a proxy is in front of it. With https, cookies are for https alone. */
  public_url: v.optional(PublicUrl),
  /** How long a login lasts. */
  session_hours: v.optional(integerIn(1, 8760, "hours"), 168),
  /** How often nodes are asked to tell how they are. */
  heartbeat_seconds: v.optional(integerIn(1, 3600, "seconds"), 10),
  /** How often each linked node and the hub ping each other; three times as long without a word and the link is dead. */
  link_ping_seconds: v.optional(integerIn(1, 300, "seconds"), 15),
  /** Whether ffmpeg makes lower qualities, and H.264 of H.265, while somebody watches them. */
  transcoding: v.optional(v.boolean("true or false"), true),
  /** How many parts it makes at a time. */
  transcoding_at_once: v.optional(integerIn(1, 64, "processes"), 2),
  /** How much of what it made is kept, under `data_path`; 0 keeps nothing. */
  transcoding_cache_mb: v.optional(integerIn(0, 10_000_000, "MB"), 2048),
  log_level: v.optional(v.picklist(["debug", "info", "warning", "error"]), "info"),
});
export type HubConfig = v.InferOutput<typeof HubConfig>;

/** What the command line says; it wins over the file. Paths may be relative to the working directory. */
export interface HubOptions {
  config?: string;
  listen?: string;
  data?: string;
  archive?: string;
}

/** Reads the file, if one is named, and fills in the rest. Throws `invalid_config` with every error at once. */
export async function loadHubConfig(options: HubOptions): Promise<HubConfig> {
  const { config: path, listen, data, archive } = options;
  const file = path === undefined ? {} : await loadConfigFile(path, v.unknown());
  const isMapping = typeof file === "object" && file !== null && !Array.isArray(file);
  const input = isMapping
    ? {
        ...file,
        ...(listen === undefined ? {} : { listen }),
        ...(data === undefined ? {} : { data_path: resolve(data) }),
        ...(archive === undefined ? {} : { archive_path: resolve(archive) }),
      }
    : file;
  const checked = checkInput(HubConfig, input);
  if (checked.ok) return checked.output;
  throw new AppError("invalid_config", `${path ?? "the command line"} is not valid`, {
    issues: checked.issues,
  });
}
