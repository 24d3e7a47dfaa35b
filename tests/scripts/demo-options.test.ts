import { describe, expect, test } from "bun:test";
import { parseDemoOptions } from "../../scripts/demo-options.ts";

describe("parseDemoOptions", () => {
  test("has a default for everything", () => {
    expect(parseDemoOptions([])).toEqual({ cameras: 2, segmentSeconds: 10, port: 8080, dataDir: undefined });
  });

  test("takes what is given", () => {
    const argv = ["--cameras", "4", "--segment-seconds=30", "--port", "0", "--data", "/srv/demo"];
    expect(parseDemoOptions(argv)).toEqual({ cameras: 4, segmentSeconds: 30, port: 0, dataDir: "/srv/demo" });
    expect(parseDemoOptions(["--help"])).toBe("help");
  });

  test.each([
    ["--cameras", "0"],
    ["--cameras", "17"],
    ["--cameras", "two"],
    ["--cameras", ""],
    ["--port", "65536"],
    ["--port", "-1"],
    ["--port", "80.5"],
    ["--segment-seconds", "7"],
    ["--segment-seconds", "1"],
    ["--segment-seconds", "1e1"],
    ["--data", ""],
    ["--fast", "1"],
  ])("refuses %s %p and names it", (option, value) => {
    expect(() => parseDemoOptions([`${option}=${value}`])).toThrow(option);
  });
});
