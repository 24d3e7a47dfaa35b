import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import { EdgeFiles, type EdgeFilesOptions } from "./edge-files.ts";
import { createFindOnEdge } from "./find-on-edge.ts";
import { LinkedEdgeFootage } from "./linked-edge-footage.ts";

/** All that the hub can do with what is still on its nodes. */
export function openEdgeFootage(deps: {
  links: EdgeFilesOptions["links"];
  /** Throws `not_found`. */
  nodeOfCamera: (cameraId: string) => Promise<string>;
  /** Whether the catalog has it. */
  isKnown: (videoId: string) => Promise<boolean>;
  clock: Clock;
  logger: Logger;
}) {
  const footage = new LinkedEdgeFootage(deps);
  const files = new EdgeFiles(deps);
  return { footage, files, findOnEdge: createFindOnEdge({ footage, files }) };
}
