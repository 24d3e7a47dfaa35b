import { expect, test } from "bun:test";
import type { PartStatus } from "../../../src/hub/health/health-service.ts";
import { usualData } from "./page-data.ts";
import { createPageApp, nowMs } from "./page-server.ts";

async function textOf(parts: Record<string, Partial<PartStatus>>, language = "ko"): Promise<string> {
  const data = usualData();
  const base: PartStatus = { state: "degraded", message: "in English", figures: {}, checkedAtMs: nowMs };
  const given = Object.entries(parts).map(([name, part]) => [name, { ...base, ...part }]);
  const status = { ...data.status, parts: { ...data.status.parts, ...Object.fromEntries(given) } };
  const response = await createPageApp({ ...data, status }).get("/health", { "accept-language": language });
  return response.text();
}

test("what was found out about a part is said in the language of the page", async () => {
  const html = await textOf({
    archive: { state: "down", findings: ["empty_folder"] },
    nodes: {
      findings: ["nodes_silent", "nodes_alert"],
      figures: { online: 2, late: 1, offline: 1, never_seen: 0, critical_alerts: 1, warning_alerts: 2 },
    },
    disk: { findings: ["nearly_full"] },
  });
  for (const said of ["NAS가 마운트되어 있나요?", "4개 중 2개", "알림 3건", "남은 공간이 얼마 없습니다"])
    expect(html).toContain(said);
  expect(html).not.toContain("in English");
  const english = await textOf(
    { nodes: { findings: ["nodes_alert"], figures: { warning_alerts: 1 } } },
    "en",
  );
  expect(english).toContain("Alerts: 1");
  // Alerts alone do not mean that a node is away.
  expect(english).not.toContain("in contact");
});

test("a hub without a node says so", async () => {
  expect(await textOf({ nodes: { state: "ok", findings: ["no_nodes"] } })).toContain("아직 등록된 노드가");
});

test("what a program said is in its own language, and marked as such", async () => {
  const html = await textOf({ disk: { state: "down", message: "ENOENT: no such file" } });
  expect(html).toContain('<p class="finding" lang="en">ENOENT: no such file</p>');
});
