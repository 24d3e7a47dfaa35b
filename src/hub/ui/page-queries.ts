import * as v from "valibot";
import { CameraId } from "../../common/ids.ts";
import { WireTime } from "../../common/protocol/wire.ts";
import { listOf } from "../http/list-parameters.ts";

/** A day that exists, `2025-09-23`. */
export const CalendarDay = v.pipe(
  v.string(),
  v.regex(/^(?:19[7-9]\d|2\d{3})-\d\d-\d\d$/, "a day such as 2025-09-23"),
  v.check((text) => {
    const date = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
  }, "a day that exists"),
);

/** Position of an hour in its day, from 0; the longest day has 25. */
export const HourIndex = v.pipe(
  v.string(),
  v.regex(/^(?:1?\d|2[0-4])$/, "a whole number from 0 to 24"),
  v.transform(Number),
);

/** A path of this hub to go on to. Two slashes or a backslash in front would lead to another host. */
export const LocalPath = v.pipe(
  v.string(),
  v.maxLength(2000),
  v.regex(/^\/(?![/\\])[A-Za-z0-9/_?=&.%-]*$/, "a path on this hub"),
);

/** `15:30` or `15:30:07`, as a form's time field sends it. */
export const TimeOfDay = v.pipe(
  v.string(),
  v.regex(/^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$/, "a time of day such as 15:30:00"),
);

/** One MP4, or the original files. */
export const SaveAs = v.picklist(["clip", "evidence"], "clip or evidence");

/** A moment to be shown, in a day that {@link CalendarDay} knows. */
export const Moment = v.pipe(
  WireTime,
  v.minValue(86_400_000, "a time after 1970"),
  v.maxValue(Date.UTC(2999, 11, 30), "a time before the year 3000"),
);

/** Other cameras to be seen at the same moment. */
export const OtherCameras = listOf(CameraId, 3);
