import * as v from "valibot";
import { CameraId, NodeId, VideoId } from "../../common/ids.ts";
import { WireTime } from "../../common/protocol/wire.ts";
import { videoStatuses } from "../db/catalog.ts";
import { cursor, limit, listOf, order } from "../http/list-parameters.ts";

const maxCameras = 64;
const from = v.pipe(WireTime, v.description("RFC 3339. Videos that end after it."));
const to = v.pipe(WireTime, v.description("RFC 3339. Videos that start before it."));
const status = v.picklist(videoStatuses);

/** GET /api/videos */
export const VideoListParameters = v.strictObject({
  camera_id: v.optional(
    v.pipe(listOf(CameraId, maxCameras), v.description("One or more, repeated or separated by commas.")),
  ),
  from: v.optional(from),
  to: v.optional(to),
  status: v.optional(
    v.pipe(
      listOf(status, videoStatuses.length),
      v.description("One or more, repeated or separated by commas."),
    ),
  ),
  order,
  limit,
  cursor: v.optional(cursor),
});
export type VideoListParameters = v.InferOutput<typeof VideoListParameters>;

const seconds = v.pipe(v.number(), v.minValue(0), v.maxValue(1e9));
const bytes = v.pipe(v.number(), v.safeInteger("a whole number of bytes"), v.minValue(0));
const minuteOfDay = v.pipe(
  v.string(),
  v.regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "a time of day such as 08:30"),
  v.transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))),
);

/** POST /api/videos/search */
export const VideoSearchRequest = v.strictObject({
  camera_ids: v.optional(v.pipe(v.array(CameraId), v.minLength(1), v.maxLength(maxCameras))),
  from: v.optional(from),
  to: v.optional(to),
  weekdays: v.optional(
    v.pipe(
      v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7))),
      v.minLength(1),
      v.maxLength(7),
      v.description("Of the start, in the video's own zone; Monday is 1, Sunday 7."),
    ),
  ),
  time_of_day: v.optional(
    v.pipe(
      v.strictObject({ from: minuteOfDay, to: minuteOfDay }),
      v.check(({ from, to }) => from !== to, "two times that differ"),
      v.description("Of the start, in the video's own zone. From 22:00 to 06:00 passes over midnight."),
    ),
  ),
  min_duration: v.optional(v.pipe(seconds, v.description("Seconds."))),
  max_duration: v.optional(v.pipe(seconds, v.description("Seconds."))),
  min_file_size: v.optional(v.pipe(bytes, v.description("Bytes."))),
  max_file_size: v.optional(v.pipe(bytes, v.description("Bytes."))),
  node_ids: v.optional(v.pipe(v.array(NodeId), v.minLength(1), v.maxLength(maxCameras))),
  statuses: v.optional(v.pipe(v.array(status), v.minLength(1), v.maxLength(videoStatuses.length))),
  text: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(100),
      v.check((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), "text without control characters"),
      v.description("Literal, in the file's name or the notes; capitals of A to Z do not matter."),
    ),
  ),
  order,
  limit: v.optional(v.pipe(v.number(), v.integer("a whole number"), v.minValue(1), v.maxValue(500)), 50),
  cursor: v.optional(cursor),
});
export type VideoSearchRequest = v.InferOutput<typeof VideoSearchRequest>;

export const VideoParameters = v.object({ id: VideoId });
