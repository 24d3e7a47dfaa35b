import { describeError, type ErrorCode, errorCodeOf } from "../../common/errors.ts";
import { type Finding, fail, ok } from "./finding.ts";

export interface HubFacts {
  finding: Finding;
  /** The archive that the hub says is its own. */
  archiveId: string | undefined;
  /** The hub's wall clock, when it answered. */
  serverTimeMs: number | undefined;
}

/**
 * Whether the hub answers, takes the key for this node, and speaks our version. `register` is what the edge says at
 * each start; saying it once more changes nothing.
 */
export async function checkHub(
  hubUrl: string,
  register: () => Promise<{ archive_id: string | null; server_time: number }>,
): Promise<HubFacts> {
  const check = "hub";
  try {
    const { archive_id, server_time } = await register();
    const finding = ok(check, `${hubUrl} answers, takes the key, and knows this node`);
    return { finding, archiveId: archive_id ?? undefined, serverTimeMs: server_time };
  } catch (error) {
    const advice = adviceFor[errorCodeOf(error)] ?? "see the hub's log";
    const finding = fail(check, `${hubUrl}: ${describeError(error)}`, advice);
    return { finding, archiveId: undefined, serverTimeMs: undefined };
  }
}

const adviceFor: Partial<Record<ErrorCode, string>> = {
  unavailable: "see that the hub runs, and that network.hub_url and the way to it are right",
  timeout: "see that the hub runs, and that network.hub_url and the way to it are right",
  not_found: "there is something else than a livecam-hub at network.hub_url, or a path is missing from it",
  unauthorized: "the key is not valid (any more); make one on the hub: livecam-hub key create --node NODE",
  forbidden: "the key is not for this node; make one on the hub: livecam-hub key create --node NODE",
  conflict: "give the camera an id that no other node has, or take it out of the other node's config",
  invalid_input: "the hub is of another version, or does not take this config: use the same release on both",
};
