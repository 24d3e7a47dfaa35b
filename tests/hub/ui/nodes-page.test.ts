import { describe, expect, test } from "bun:test";
import { alertCodes } from "../../../src/edge/health/alert-rules.ts";
import { silentCode } from "../../../src/hub/alerts/silence-watch.ts";
import type { NodeInfo } from "../../../src/hub/nodes/node-service.ts";
import { stringsOf } from "../../../src/hub/ui/language.ts";
import { alertOf, nodeOf, troubledNode, usualData } from "./page-data.ts";
import { createPageApp, type PageData } from "./page-server.ts";

const data = usualData();
const hostile = `"><img src=x onerror=alert(1)></title><script>alert(1)</script>`;

async function textOf(path: string, given: PageData, headers = {}) {
  const response = await createPageApp(given).get(path, headers);
  return { status: response.status, html: await response.text() };
}

describe("nodes", () => {
  const troubled = { ...data, nodes: [troubledNode()] };

  test("say all that somebody has to know", async () => {
    const { html } = await textOf("/nodes", troubled);
    const text = html.replace(/<[^>]+>/g, " ").replace(/[ \n]+/g, " ");
    for (const said of [
      ...["The camera gives nothing.", "No route to host", "32 minutes ago , 3 times"],
      ...["The power supply is too weak", "The processor is 83\u00a0°C hot.", "No upload succeeds."],
      ...[
        "something that only a newer hub can say",
        "30 of 30 frames/s",
        "14.2 of 30 frames/s",
        "14 restarts",
      ],
      ...["No signal for 31 min 40 sec", "Trying again, 11 MB/s", "Archive away", "37 videos (11 GB)"],
      ...[
        "the oldest from 2 hours ago",
        "2 lost",
        "1 set aside",
        "1 in conflict",
        "an outage of 2 hr 44 min",
      ],
      ...[
        "Fills: cameras are asked for less",
        "40 GB of 64 GB free",
        "Under-voltage",
        "since the boot: Slowed down",
      ],
      ...[
        "3f1c0a9be77d Needs a restart system.spool_path Changed file refused cameras.1.source.fps: at most",
      ],
      ...["Not set", "(timedatectl)", "7 sec behind the hub", "uploader 40, camera 14", "Paused"],
    ]) {
      expect(text).toContain(said);
    }
    // The gravest first.
    expect(html.indexOf("Critical")).toBeLessThan(html.indexOf("Warning"));
    expect(html).toContain('<span lang="en">something that only a newer hub can say</span>');
  });

  test("say it in Korean, but for what programs said", async () => {
    const { html } = await textOf("/nodes", troubled, { "accept-language": "ko" });
    for (const said of [
      ...["재시작 필요", "변경된 파일 거부됨"],
      "카메라에서 영상이 오지 않습니다.",
      "전원이 약합니다",
      "프로세서 온도가 83",
      "업로드가 계속 실패합니다",
    ])
      expect(html).toContain(said);
    expect(html).toContain('lang="en"');
  });

  test("know a sentence for every code, in every language", () => {
    for (const { alerts } of Object.values(stringsOf)) {
      expect(Object.keys(alerts.sayings).sort()).toEqual([...alertCodes, silentCode].sort());
    }
  });

  test("show what hostile nodes say as text, and codes are no properties", async () => {
    const node = troubledNode();
    const alerts = ["constructor", "__proto__", "toString"].map((code) =>
      alertOf(code, { message: hostile, params: { error: hostile } }),
    );
    const evil: NodeInfo = {
      ...node,
      alerts: [...alerts, alertOf("camera_slow", { params: { fps: hostile } }), alertOf("clock_off")],
      errorCounts: { [hostile]: 1 },
      uploads: node.uploads && { ...node.uploads, last_error: hostile },
      cameras: node.cameras.map((camera) => ({ ...camera, message: hostile })),
      systemInfo: node.systemInfo && {
        ...node.systemInfo,
        model: hostile,
        clock: { state: "synced", source: hostile, ahead_of_hub_ms: null },
      },
    };
    const { html, status } = await textOf("/nodes", { ...data, nodes: [evil] });
    expect(status).toBe(200);
    expect(html).not.toMatch(/<img src=x|<script>alert|undefined|\[object|NaN/);
    expect(html.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(8);
  });

  test("of older releases are shown with what they tell", async () => {
    const { html } = await textOf("/nodes", {
      ...data,
      nodes: [nodeOf("old", { spool: null, systemInfo: null })],
    });
    expect(html).toContain("192.0.2.17");
    expect(html).not.toMatch(/undefined|NaN/);
  });

  test("with very many alerts show the gravest of them", async () => {
    const alerts = Array.from({ length: 200 }, (_, i) =>
      alertOf("camera_down", { cameraId: `cam${i}`, severity: i === 199 ? "critical" : "warning" }),
    );
    const { html } = await textOf("/nodes", { ...data, nodes: [nodeOf("many", { alerts })] });
    expect(html).toContain("cam199");
    expect(html).toContain("+180");
    expect(html).not.toContain("cam150");
  });
});
