/**
 * A reader of HLS playlists that shares nothing with the code that writes them and is as strict as RFC 8216bis:
 * what a rule of sections 4 and 6.2.1 forbids is thrown, with the line.
 */
export interface HlsPart {
  uri: string;
  seconds: number;
  /** Undefined: the whole of what is at the URI. */
  start: number | undefined;
  end: number | undefined;
  map: { uri: string; start: number | undefined; end: number | undefined };
  /** Media Sequence Number and Discontinuity Sequence Number. */
  sequence: number;
  discontinuities: number;
  isDiscontinuous: boolean;
  /** Said, or counted on from the last that was said. */
  dateMs: number;
}

export interface HlsPlaylist {
  version: number;
  targetSeconds: number;
  /** `undefined` for one that slides. */
  type: "VOD" | "EVENT" | undefined;
  isEnded: boolean;
  isIndependent: boolean;
  startSeconds: number | undefined;
  parts: HlsPart[];
  gaps: Map<string, string>[];
}

export interface HlsVariant {
  uri: string;
  bandwidth: number;
  averageBandwidth: number;
  codecs: string[];
  resolution: string;
  frameRate: number | undefined;
  stableId: string;
}

/** A multivariant playlist (4.4.6), of STREAM-INF alone. */
export function readHlsMaster(text: string): { isIndependent: boolean; variants: HlsVariant[] } {
  check(!/[\p{Cc}\ufeff]/u.test(text.replaceAll("\n", "")), "a control character or BOM (4.1)");
  check(text.endsWith("\n"), "the last line is not ended");
  const [first, ...lines] = text.split("\n").slice(0, -1);
  check(first === "#EXTM3U", "does not begin with EXTM3U (4.4.1.1)");
  const once = new Set<string>();
  const variants: HlsVariant[] = [];
  let pending: Map<string, string> | undefined;
  for (const line of lines) {
    const [, name = "", value = ""] = /^#(EXT[A-Z0-9-]*):?(.*)$/.exec(line) ?? [];
    // The URI line follows at once (4.4.6.2).
    check(
      (pending === undefined) === line.startsWith("#"),
      `a URI without its tag, or a tag without URI: ${line}`,
    );
    if (pending !== undefined) {
      check(/^[\x21-\x7e]+$/.test(line), `not a URI: ${line}`);
      variants.push(variantOf(line, pending));
      pending = undefined;
    } else if (name === "EXT-X-STREAM-INF") {
      pending = attributesOf(value);
    } else {
      check(
        name === "EXT-X-VERSION" || name === "EXT-X-INDEPENDENT-SEGMENTS",
        `not a tag of a multivariant playlist: ${line}`,
      );
      check(!once.has(name), `a tag that may be there once: ${line}`);
      once.add(name);
    }
  }
  check(pending === undefined, "a variant without URI");
  check(variants.length > 0, "no variant");
  const ids = variants.map(({ stableId }) => stableId);
  check(new Set(ids).size === ids.length, "two variants have one STABLE-VARIANT-ID");
  return { isIndependent: once.has("EXT-X-INDEPENDENT-SEGMENTS"), variants };
}

/** 4.4.6.2 */
function variantOf(uri: string, attributes: Map<string, string>): HlsVariant {
  const matching = (name: string, form: RegExp) => {
    const value = attributes.get(name);
    check(value !== undefined && form.test(value), `${name} is not as it should be: ${value}`);
    return value.replaceAll('"', "");
  };
  const bandwidth = Number(matching("BANDWIDTH", /^[1-9]\d*$/));
  const averageBandwidth = Number(matching("AVERAGE-BANDWIDTH", /^[1-9]\d*$/));
  check(averageBandwidth <= bandwidth, "the average is higher than the peak");
  return {
    ...{ uri, bandwidth, averageBandwidth },
    codecs: matching("CODECS", /^"[A-Za-z0-9.]+(?:,[A-Za-z0-9.]+)*"$/).split(","),
    resolution: matching("RESOLUTION", /^[1-9]\d*x[1-9]\d*$/),
    frameRate: attributes.has("FRAME-RATE")
      ? Number(matching("FRAME-RATE", /^\d+(?:\.\d{1,3})?$/))
      : undefined,
    stableId: matching("STABLE-VARIANT-ID", /^"[A-Za-z0-9+/=._-]+"$/),
  };
}

/** Tags that may stand once at most (4.4.3 and others), and the form of their value. */
const onceTags = new Map<string, RegExp>([
  ["EXT-X-VERSION", /^[1-9]\d*$/],
  ["EXT-X-TARGETDURATION", /^[1-9]\d*$/],
  ["EXT-X-PLAYLIST-TYPE", /^(?:VOD|EVENT)$/],
  ["EXT-X-MEDIA-SEQUENCE", /^\d+$/],
  ["EXT-X-DISCONTINUITY-SEQUENCE", /^\d+$/],
  ["EXT-X-INDEPENDENT-SEGMENTS", /^$/],
  ["EXT-X-START", /./],
  ["EXT-X-ENDLIST", /^$/],
]);
const partTags = new Map<string, RegExp>([
  ["EXTINF", /^\d+(?:\.\d+)?,/],
  ["EXT-X-BYTERANGE", /^\d+@\d+$/],
  ["EXT-X-DISCONTINUITY", /^$/],
  ["EXT-X-MAP", /./],
  ["EXT-X-PROGRAM-DATE-TIME", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/],
  ["EXT-X-DATERANGE", /./],
]);

export function readHlsPlaylist(text: string): HlsPlaylist {
  check(!/[\p{Cc}\ufeff]/u.test(text.replaceAll("\n", "")), "a control character or BOM (4.1)");
  check(text.endsWith("\n"), "the last line is not ended");
  const lines = text.split("\n").slice(0, -1);
  check(lines[0] === "#EXTM3U", "does not begin with EXTM3U (4.4.1.1)");
  const once = new Map<string, string>();
  const gaps: Map<string, string>[] = [];
  const parts: HlsPart[] = [];
  let pending = new Map<string, string>();
  let map: HlsPart["map"] | undefined;
  let dateMs: number | undefined;

  for (const [number, line] of lines.entries()) {
    if (number === 0) continue;
    const where = `line ${number + 1}: ${line}`;
    check(line !== "", `an empty line, ${where}`);
    check(!once.has("EXT-X-ENDLIST"), `something after EXT-X-ENDLIST, ${where}`);
    if (!line.startsWith("#")) {
      const [seconds, range] = [pending.get("EXTINF"), pending.get("EXT-X-BYTERANGE")];
      check(seconds !== undefined, `a URI without EXTINF (4.4.4.1), ${where}`);
      check(/^[\x21-\x7e]+$/.test(line), `not a URI, ${where}`);
      check(map !== undefined, `a fragmented MP4 part without EXT-X-MAP (3.1.2), ${where}`);
      const said = pending.get("EXT-X-PROGRAM-DATE-TIME");
      dateMs = said === undefined ? dateMs : Date.parse(said);
      check(dateMs !== undefined && !Number.isNaN(dateMs), `no date before the first part, ${where}`);
      const isDiscontinuous = pending.has("EXT-X-DISCONTINUITY");
      check(!isDiscontinuous || said !== undefined, `a discontinuity without its date (6.2.1), ${where}`);
      const before = parts.at(-1);
      parts.push({
        uri: line,
        seconds: Number.parseFloat(seconds),
        ...(range === undefined ? { start: undefined, end: undefined } : rangeOf(range)),
        map,
        sequence: before ? before.sequence + 1 : Number(once.get("EXT-X-MEDIA-SEQUENCE") ?? 0),
        discontinuities:
          (before?.discontinuities ?? Number(once.get("EXT-X-DISCONTINUITY-SEQUENCE") ?? 0)) +
          (isDiscontinuous ? 1 : 0),
        isDiscontinuous,
        dateMs,
      });
      dateMs += Number.parseFloat(seconds) * 1000;
      pending = new Map();
      continue;
    }
    const [, name = "", value = ""] = /^#(EXT[A-Z0-9-]*):?(.*)$/.exec(line) ?? [];
    const form = onceTags.get(name) ?? partTags.get(name);
    check(form !== undefined, `not a tag of a media playlist, ${where}`);
    check(form.test(value), `a value of the wrong form, ${where}`);
    if (onceTags.has(name)) {
      check(!once.has(name), `a tag that may be there once (4.4.3), ${where}`);
      const isOfFirst = name.endsWith("-SEQUENCE");
      check(
        !isOfFirst || (parts.length === 0 && pending.size === 0),
        `too late (4.4.3.2, 4.4.3.3), ${where}`,
      );
      once.set(name, value);
    } else if (name === "EXT-X-DATERANGE") {
      gaps.push(attributesOf(value));
    } else {
      check(!pending.has(name), `a tag twice for one part, ${where}`);
      pending.set(name, value);
      if (name === "EXT-X-MAP") map = mapOf(attributesOf(value));
    }
  }
  check(pending.size === 0, "tags of a part that does not come");
  return checkWhole({ once, parts, gaps });
}

function checkWhole(found: {
  once: Map<string, string>;
  parts: HlsPart[];
  gaps: Map<string, string>[];
}): HlsPlaylist {
  const { once, parts, gaps } = found;
  const version = Number(once.get("EXT-X-VERSION") ?? 1);
  check(version >= 6, "EXT-X-MAP needs version 6 (8)");
  const targetSeconds = Number(once.get("EXT-X-TARGETDURATION"));
  check(Number.isInteger(targetSeconds), "no EXT-X-TARGETDURATION (4.4.3.1)");
  const tooLong = parts.find(({ seconds }) => Math.round(seconds) > targetSeconds);
  check(tooLong === undefined, `a part of ${tooLong?.seconds} s, longer than the target duration (4.4.3.1)`);
  check(parts[0]?.isDiscontinuous !== true, "a discontinuity before the first part");
  const ids = gaps.map((gap) => gap.get("ID"));
  check(new Set(ids).size === ids.length, "two date ranges have one ID (4.4.5.1)");
  for (const gap of gaps) {
    check(/^".+"$/.test(gap.get("ID") ?? ""), "a date range without ID");
    check(
      !Number.isNaN(Date.parse((gap.get("START-DATE") ?? "").replaceAll('"', ""))),
      "a date range without START-DATE",
    );
    check(/^\d+(?:\.\d+)?$/.test(gap.get("DURATION") ?? ""), "a date range with no or a negative DURATION");
  }
  const start = attributesOf(once.get("EXT-X-START") ?? "").get("TIME-OFFSET");
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  check(
    start === undefined || (Number(start) >= 0 && Number(start) <= total),
    "EXT-X-START lies outside (4.4.2.2)",
  );
  const type = once.get("EXT-X-PLAYLIST-TYPE") as HlsPlaylist["type"];
  const isEnded = once.has("EXT-X-ENDLIST");
  check(type !== "VOD" || isEnded, "a VOD playlist without an end");
  check(
    type === undefined || !once.has("EXT-X-MEDIA-SEQUENCE"),
    "parts leave a playlist that only grows (6.2.2)",
  );
  return {
    ...{ version, targetSeconds, type, isEnded, parts, gaps },
    isIndependent: once.has("EXT-X-INDEPENDENT-SEGMENTS"),
    startSeconds: start === undefined ? undefined : Number(start),
  };
}

/** 4.2 */
function attributesOf(list: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (let rest = list; rest !== ""; ) {
    const match = /^([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,(?!$)|$)/.exec(rest);
    check(match !== null, `not an attribute list: ${list}`);
    const [whole, name = "", value = ""] = match;
    check(!attributes.has(name), `the attribute ${name} twice`);
    attributes.set(name, value);
    rest = rest.slice(whole.length);
  }
  return attributes;
}

/** What a client relies on from one answer to the next (6.2.1, 6.2.2): throws for what changed, went back, or left too early. */
export function checkReload(before: HlsPlaylist, after: HlsPlaylist): void {
  check(before.targetSeconds === after.targetSeconds, "the target duration changed (6.2.1)");
  const [first, last] = [after.parts[0], after.parts.at(-1)];
  check(first !== undefined && last !== undefined, "all parts have gone");
  check(first.sequence >= (before.parts[0]?.sequence ?? 0), "the media sequence went back (6.2.2)");
  check(last.sequence >= (before.parts.at(-1)?.sequence ?? 0), "parts left at the end (6.2.1)");
  for (const part of before.parts) {
    const same = after.parts.find(({ sequence }) => sequence === part.sequence);
    if (!same) continue;
    const { isDiscontinuous: _before, ...was } = part;
    const { isDiscontinuous: _after, ...is } = same;
    // A date that is counted on may differ from one that is said by what it drifts.
    const near = { ...is, dateMs: Math.abs(is.dateMs - was.dateMs) < 100 ? was.dateMs : is.dateMs };
    check(JSON.stringify(was) === JSON.stringify(near), `part ${part.sequence} changed (6.2.1)`);
  }
  const seconds = after.parts.reduce((sum, part) => sum + part.seconds, 0);
  const hasSlid = first.sequence > (before.parts[0]?.sequence ?? 0);
  check(!hasSlid || seconds >= 3 * after.targetSeconds, "parts left a short playlist (6.2.2)");
}

function mapOf(attributes: Map<string, string>): HlsPart["map"] {
  const [uri, range] = [attributes.get("URI"), attributes.get("BYTERANGE")];
  check(uri !== undefined && /^"[^"]+"$/.test(uri), "EXT-X-MAP without URI (4.4.4.5)");
  if (range === undefined) return { uri: uri.slice(1, -1), start: undefined, end: undefined };
  check(/^"\d+@\d+"$/.test(range), "EXT-X-MAP with a byte range of the wrong form");
  return { uri: uri.slice(1, -1), ...rangeOf(range.slice(1, -1)) };
}

function rangeOf(text: string): { start: number; end: number } {
  const [length = 0, start = 0] = text.split("@").map(Number);
  check(length > 0, "an empty byte range");
  return { start, end: start + length };
}

function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(`not a valid playlist: ${message}`);
}
