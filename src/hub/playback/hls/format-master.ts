import { formatWireTime } from "../../../common/protocol/wire.ts";
import { codecsOf, pictureOf, type Quality, qualitiesOf } from "../qualities/quality.ts";
import { areIndependentIn } from "./format-playlist.ts";
import { partSeconds } from "./media-parts.ts";
import type { PlaylistEntry } from "./plan-playlist.ts";

export interface Master {
  cameraId: string;
  fromMs: number;
  toMs?: number | undefined;
  withEdge?: boolean | undefined;
  entries: readonly PlaylistEntry[];
  /** Whether other qualities than the recorded one can be had. */
  hasOthers: boolean;
}

/** A sound track, and the boxes around it, of which we know no more than that it is there. */
const soundBitsPerSecond = 200_000;
/** An encoder that may not take more than so much in a second takes half as much more in the worst half of a part. */
const peakFactor = 1.5;

/**
 * A multivariant playlist as RFC 8216bis section 4.4.6 has it. The recorded quality stands first: that is what players
 * begin with, and it costs the hub nothing. Where the range has videos of several kinds, CODECS names the codecs of
 * all, and the rest is the most of any.
 */
export function formatMaster(master: Master): string {
  const { entries } = master;
  const variants = [undefined, ...(master.hasOthers ? qualitiesOf(entries.map(({ video }) => video)) : [])];
  const isIndependent = variants.every((quality) => areIndependentIn(entries, quality));
  return [
    "#EXTM3U\n#EXT-X-VERSION:6\n",
    isIndependent ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "",
    ...variants.map((quality) => formatVariant(master, quality)),
  ].join("");
}

function formatVariant(
  { cameraId, fromMs, toMs, withEdge, entries }: Master,
  quality: Quality | undefined,
): string {
  const rates = bitRatesOf(entries, quality);
  const videos = [...new Set(entries.map(({ video }) => video))];
  const pictures = videos.map((video) => (quality && pictureOf(video, quality)) ?? video);
  const largest = pictures.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
  const fps = Math.max(...videos.map((video) => video.fps));
  // What a node says of its files is foreign text: a quote would begin an attribute of its own.
  const codecs = [...new Set(videos.flatMap((video) => codecsOf(video, quality)))].filter((codec) =>
    /^[\w.+-]+$/.test(codec),
  );
  const attributes = [
    `BANDWIDTH=${rates.peak}`,
    `AVERAGE-BANDWIDTH=${rates.average}`,
    ...(codecs.length > 0 ? [`CODECS="${codecs.join(",")}"`] : []),
    `RESOLUTION=${largest.width}x${largest.height}`,
    ...(fps > 0 ? [`FRAME-RATE=${fps.toFixed(3)}`] : []),
    `STABLE-VARIANT-ID="${quality ?? "source"}"`,
  ];
  const query = new URLSearchParams({ from: formatWireTime(fromMs) });
  if (toMs !== undefined) query.set("to", formatWireTime(toMs));
  if (withEdge) query.set("edge", "1");
  if (quality !== undefined) query.set("quality", quality);
  return `#EXT-X-STREAM-INF:${attributes.join(",")}\n/api/cameras/${cameraId}/hls.m3u8?${query}\n`;
}

/** Of recorded parts as they are; of others, which are yet to be made, what the encoder may take at most. */
function bitRatesOf(entries: readonly PlaylistEntry[], quality: Quality | undefined) {
  const parts: { bits: number; seconds: number }[] = [];
  let peak = 1;
  for (const entry of entries) {
    const picture = quality === undefined ? undefined : pictureOf(entry.video, quality);
    const most = (picture?.bitsPerSecond ?? 0) + (entry.video.codec.includes(",") ? soundBitsPerSecond : 0);
    if (picture) peak = Math.max(peak, most * peakFactor);
    for (let i = entry.firstPart; i < entry.endPart; i++) {
      const seconds = (entry.parts.durationsTicks[i] ?? 0) / entry.parts.timescale;
      parts.push({ seconds, bits: picture ? most * seconds : (entry.parts.sizesBytes[i] ?? 0) * 8 });
    }
  }
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  const average = parts.reduce((sum, part) => sum + part.bits, 0) / Math.max(seconds, 0.001);
  peak = Math.ceil(Math.max(peak, peakOf(parts), average));
  return { peak, average: Math.max(1, Math.round(average)) };
}

/** Of any neighbouring parts that last from 0.5 to 1.5 target durations together: the peak segment bit rate (section 3.1). */
function peakOf(parts: readonly { bits: number; seconds: number }[]): number {
  let peak = 0;
  for (let first = 0; first < parts.length; first++) {
    let [bits, seconds] = [0, 0];
    for (let i = first; i < parts.length; i++) {
      bits += parts[i]?.bits ?? 0;
      seconds += parts[i]?.seconds ?? 0;
      if (seconds > partSeconds * 1.5 && i > first) break;
      if (seconds >= partSeconds * 0.5) peak = Math.max(peak, bits / seconds);
    }
  }
  return peak;
}
