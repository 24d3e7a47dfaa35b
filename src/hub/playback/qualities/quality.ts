import type { Video } from "../../db/catalog.ts";

/** Pixels of the shorter side, which is the height but for a camera that stands on its side. */
const shortSides = { "1080p": 1080, "720p": 720, "480p": 480, "240p": 240 } as const;

/**
 * What a video can be had in beside what was recorded, best first. `h264`: as large as it is, for browsers without
 * H.265. The others: no larger than they say, and H.264.
 */
export const qualities = ["h264", "1080p", "720p", "480p", "240p"] as const;
export type Quality = (typeof qualities)[number];

/** What of a video decides how it is transcoded. The same for all videos of a run, but for the sizes and times. */
export type Transcodable = Pick<Video, "codec" | "width" | "height" | "fps" | "fileSizeBytes" | "durationMs">;

/** The picture that a transcoder is to make. */
export interface Picture {
  /** Even. */
  width: number;
  height: number;
  /** `level_idc` of H.264. */
  level: number;
  /** What no second has more of, as the encoder keeps it. */
  bitsPerSecond: number;
  /** Pictures at most from one keyframe to the next. */
  keyframeInterval: number;
}

/** Generous for a picture that moves; pictures that do not move take less. */
const bitsPerPixel = 2.4;
/** How much more H.264 needs for what H.265 shows. */
const avcOverHevc = 1.6;
const leastBitsPerSecond = 150_000;
const keyframeSeconds = 2;

/**
 * H.264 levels by macroblocks of a picture at up to 60 pictures a second (ITU-T H.264 table A-1). By the size alone: a
 * segment's average of pictures a second differs a little from the next one's, and their init segments must not.
 */
const levels: readonly [maxMacroblocks: number, level: number][] = [
  [675, 30],
  [1_800, 31],
  [3_600, 32],
  [4_096, 41],
  [8_704, 42],
  [9_830, 50],
  [16_384, 51],
  [36_864, 52],
];
const highestLevel = 62;

/** The picture of a video in a quality; undefined where the recorded one will do as it is. */
export function pictureOf(video: Transcodable, quality: Quality): Picture | undefined {
  const shorter = Math.min(video.width, video.height);
  const wanted = quality === "h264" ? shorter : Math.min(shorter, shortSides[quality]);
  if (wanted === shorter && isAvc(video)) return undefined;
  const width = even((video.width * wanted) / shorter);
  const height = even((video.height * wanted) / shorter);
  const pixels = width * height;
  const macroblocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const recorded = (video.fileSizeBytes * 8000) / Math.max(1, video.durationMs);
  // More than was recorded would show nothing more.
  const most = recorded * (isAvc(video) ? 1 : avcOverHevc);
  return {
    width,
    height,
    level: levels.find(([max]) => macroblocks <= max)?.[1] ?? highestLevel,
    bitsPerSecond: Math.round(Math.max(leastBitsPerSecond, Math.min(pixels * bitsPerPixel, most))),
    keyframeInterval: Math.max(1, Math.round(video.fps * keyframeSeconds)),
  };
}

/** What the videos of a range can be had in, best first: every quality that changes one of them and is not what another does. */
export function qualitiesOf(videos: readonly Transcodable[]): Quality[] {
  const shorter = Math.max(0, ...new Set(videos.map(({ width, height }) => Math.min(width, height))));
  const hasOthers = videos.some((video) => !isAvc(video));
  return qualities.filter((quality) => (quality === "h264" ? hasOthers : shortSides[quality] < shorter));
}

/** RFC 6381, of the video and of what else is in the file. The transcoder makes High profile, and leaves sound alone. */
export function codecsOf(video: Transcodable, quality: Quality | undefined): string[] {
  const [own = "", ...sound] = video.codec.split(",");
  const picture = quality === undefined ? undefined : pictureOf(video, quality);
  return [picture === undefined ? own : `avc1.6400${picture.level.toString(16)}`, ...sound];
}

function isAvc({ codec }: Pick<Video, "codec">): boolean {
  return codec.startsWith("avc1");
}

function even(size: number): number {
  return Math.max(2, 2 * Math.round(size / 2));
}
