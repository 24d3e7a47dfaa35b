import * as v from "valibot";
import { CameraId, VideoId } from "../ids.ts";
import { ConfigureRequest, ConnectionReport, EdgeStatus, ReloadReport, UploadList } from "./control.ts";
import {
  SegmentIndexPage,
  SegmentIndexRequest,
  SegmentList,
  SegmentListRequest,
  SegmentPartRequest,
} from "./footage.ts";
import { PlainText, PositiveInteger } from "./wire.ts";

/** A change of the config, as asked of a running node. */
export const ConfigPush = v.object({
  /** The whole file, YAML or JSON. */
  text: v.pipe(v.string(), v.maxLength(200_000)),
  /** Of the config that was edited; another one in force is a conflict. */
  expected_version: PlainText(64),
});

export const NodeConfig = v.object({
  /** The file without its comments, in its own format; secrets are where they are, what may be one is hidden. */
  text: v.string(),
  /** To base a change on. */
  config_version: v.string(),
});
export type NodeConfig = v.InferOutput<typeof NodeConfig>;

const nothing = v.object({});
const ofCamera = v.object({ camera_id: CameraId });
const ofVideo = v.object({ video_id: VideoId });

/** What a hub can ask of a node: the verbs of the control socket. Pictures and footage are answered by a binary message. */
export const linkMethods = {
  status: { params: nothing, result: EdgeStatus, deadlineMs: 10_000 },
  pause: { params: ofCamera, result: nothing, deadlineMs: 15_000 },
  resume: { params: ofCamera, result: nothing, deadlineMs: 15_000 },
  configure: {
    params: v.object({ camera_id: CameraId, settings: ConfigureRequest }),
    result: nothing,
    deadlineMs: 30_000,
  },
  snapshot: { params: ofCamera, result: nothing, deadlineMs: 15_000 },
  watch: { params: ofCamera, result: nothing, deadlineMs: 10_000 },
  unwatch: { params: ofCamera, result: nothing, deadlineMs: 10_000 },
  uploads: {
    params: v.object({ limit: v.optional(v.pipe(PositiveInteger, v.maxValue(500))) }),
    result: UploadList,
    deadlineMs: 10_000,
  },
  cancel_upload: { params: ofVideo, result: nothing, deadlineMs: 10_000 },
  retry_upload: { params: ofVideo, result: nothing, deadlineMs: 10_000 },
  prioritise_upload: { params: ofVideo, result: nothing, deadlineMs: 10_000 },
  segments: { params: SegmentListRequest, result: SegmentList, deadlineMs: 10_000 },
  segment_index: { params: SegmentIndexRequest, result: SegmentIndexPage, deadlineMs: 20_000 },
  read_segment: { params: SegmentPartRequest, result: nothing, deadlineMs: 20_000 },
  check_archive: { params: nothing, result: ConnectionReport, deadlineMs: 70_000 },
  get_config: { params: nothing, result: NodeConfig, deadlineMs: 10_000 },
  reload: { params: nothing, result: ReloadReport, deadlineMs: 60_000 },
  apply_config: { params: ConfigPush, result: ReloadReport, deadlineMs: 60_000 },
} as const satisfies Record<string, LinkMethod>;

interface LinkMethod {
  params: v.GenericSchema;
  result: v.GenericSchema;
  /** How long whoever asked waits. */
  deadlineMs: number;
}

export type LinkMethodName = keyof typeof linkMethods;
export type LinkParams<M extends LinkMethodName> = v.InferOutput<(typeof linkMethods)[M]["params"]>;
/** As it stands on the wire: times are text. */
export type LinkResult<M extends LinkMethodName> = v.InferInput<(typeof linkMethods)[M]["result"]>;
