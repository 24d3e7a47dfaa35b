import type { FaultSite, SiteOptions } from "./fault-site.ts";

export interface FaultContext {
  /** How long the fault lasts. */
  lastsMs: number;
  /** How often, for what happens at a moment. */
  times: number;
}

/** Ends a fault that was injected. */
export type Heal = () => Promise<unknown> | unknown;

/** One thing that goes wrong, and how it is brought about on this machine. */
export interface Fault {
  name: string;
  /** Why it cannot be tried here; undefined where it can. */
  unable?: string | undefined;
  site?: SiteOptions | ((folder: string) => Promise<SiteOptions>);
  /** Shorter than that it would show nothing. */
  leastMs?: number;
  /** Brings it about, and answers with what ends it; a fault of a moment is over when it resolves. */
  inject(site: FaultSite, context: FaultContext): Promise<Heal | undefined>;
  /** What the table says beside the figures. */
  remark?: (site: FaultSite) => Promise<string>;
}

/** One line of the table. */
export interface FaultResult {
  name: string;
  /** Of footage, in all; undefined where it is measured in another way, which `seen` says. */
  lostSeconds?: number | undefined;
  /** From the end of the fault until footage is on the disk again; undefined where it never stopped. */
  recordsAfterSeconds?: number | undefined;
  /** From the end of the fault until the hub has all that was recorded until then. */
  deliveredAfterSeconds?: number | undefined;
  /** Causes of gaps and what the log said. */
  seen: string;
  /** What is not as promised. */
  broken: string[];
}
