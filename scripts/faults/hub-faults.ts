import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectionFault, httpAnswer } from "../../tests/support/fault-proxy.ts";
import type { Fault } from "./fault.ts";

const problem = (status: number) =>
  JSON.stringify({ type: "about:blank", title: "unavailable", status, code: "unavailable" });

function byProxy(name: string, fault: ConnectionFault): Fault {
  return {
    name,
    inject: async (site) => {
      site.proxy.setFault(fault);
      return () => site.proxy.setFault(undefined);
    },
  };
}

const restored = "the hub was told again what it had acknowledged";

export const hubFaults: readonly Fault[] = [
  {
    name: "hub killed (kill -9), and started again",
    inject: async (site) => {
      await site.killHub();
      return () => site.startHub();
    },
  },
  byProxy("hub answers 500", { kind: "answer", bytes: httpAnswer(500, problem(500)) }),
  byProxy("hub answers 503, Retry-After: 2", {
    kind: "answer",
    bytes: httpAnswer(503, problem(503), ["retry-after: 2"]),
  }),
  byProxy("hub answers 429", { kind: "answer", bytes: httpAnswer(429, problem(429)) }),
  byProxy("hub answers garbage", { kind: "answer", bytes: httpAnswer(200, "\u0000\u0001{") }),
  // Longer than the deadline of a request.
  { ...byProxy("hub takes requests and never answers", { kind: "silence" }), leastMs: 20_000 },
  byProxy("hub's connections are reset", { kind: "reset" }),
  byProxy("hub stores, its acknowledgement is lost", { kind: "cut", afterBytes: 0 }),
  byProxy("hub stores, half of its answer comes", { kind: "cut", afterBytes: 150 }),
  {
    name: "hub restored from an older catalog",
    // What is acknowledged is no longer on the node.
    site: { config: { system: { spool_max_bytes: 1 } } },
    inject: async (site) => {
      const [data, older] = [join(site.folder, "data"), join(site.folder, "older")];
      await site.killHub();
      await cp(data, older, { recursive: true });
      await site.startHub();
      await site.edge.logged(
        "archived",
        site.edge.log.filter(({ message }) => message === "archived").length + 3,
      );
      await site.until(async () => (await site.undelivered()).length === 0, "acknowledgements");
      await site.killHub();
      await rm(data, { recursive: true });
      await cp(older, data, { recursive: true });
      await site.startHub();
      const told = () =>
        site.edge.log.filter(({ message, level }) => message === restored && /WARN/i.test(level));
      await site.until(() => told().length > 0, "telling the hub again");
      return undefined;
    },
    remark: async (site) => {
      const told = site.log.filter(({ message, level }) => message === restored && /WARN/i.test(level));
      const sum = (key: string) => told.reduce((total, { properties }) => total + Number(properties[key]), 0);
      return `${sum("stored")} that it had lost were told again`;
    },
  },
];
