import { describe, expect, test } from "bun:test";
import { EdgeBodies, type EdgeBodyOptions } from "../../../src/hub/edge-footage/edge-body.ts";
import type { EdgeFile } from "../../../src/hub/edge-footage/edge-footage.ts";

const fileOf = (nodeId: string) => ({ nodeId, videoId: "v" }) as EdgeFile;
const never = new AbortController().signal;
const options = (more: Partial<EdgeBodyOptions> = {}): EdgeBodyOptions => ({
  file: fileOf("node01"),
  range: { start: 0, end: 25 },
  read: async (_, { start, end }) => new Uint8Array(Math.min(10, end - start)).fill(start),
  signal: never,
  onError: () => undefined,
  ...more,
});
const textOf = async (body: Blob | ReadableStream<Uint8Array>) => [
  ...new Uint8Array(await new Response(body).arrayBuffer()),
];

describe("a body", () => {
  test("is its parts end to end, one that fits into a part is whole at once", async () => {
    const bodies = new EdgeBodies();
    const wanted = [...Array(10).fill(0), ...Array(10).fill(10), ...Array(5).fill(20)];
    expect(await textOf(await bodies.open(options()))).toEqual(wanted);
    const short = await bodies.open(options({ range: { start: 3, end: 9 } }));
    expect(short).toBeInstanceOf(Blob);
    expect(bodies.size).toBe(0);
  });

  test("reads one part ahead of the client, and no further", async () => {
    let reads = 0;
    const bodies = new EdgeBodies();
    const read = async () => {
      reads++;
      return new Uint8Array(1);
    };
    const body = (await bodies.open(options({ read, range: { start: 0, end: 1000 } }))) as ReadableStream;
    const reader = body.getReader();
    await Bun.sleep(5);
    expect(reads).toBe(2);
    for (let i = 0; i < 3; i++) await reader.read();
    await Bun.sleep(5);
    expect(reads).toBe(4);
    await reader.cancel();
    expect(bodies.size).toBe(0);
  });

  test("gives its place back however it ends", async () => {
    const bodies = new EdgeBodies({ most: 3, mostOfNode: 2 });
    const gone = new AbortController();
    await bodies.open(options({ signal: gone.signal }));
    await bodies.open(options({ signal: gone.signal }));
    await expect(bodies.open(options())).rejects.toMatchObject({ code: "unavailable" });
    await bodies.open(options({ file: fileOf("node02"), signal: gone.signal }));
    await expect(bodies.open(options({ file: fileOf("node03") }))).rejects.toMatchObject({
      code: "unavailable",
    });
    gone.abort();
    expect(bodies.size).toBe(0);

    const errors: unknown[] = [];
    const read = async (_: EdgeFile, { start }: { start: number }) => {
      if (start > 0) throw new Error("the node is gone");
      return new Uint8Array(10);
    };
    const broken = await bodies.open(options({ read, onError: (error) => errors.push(error) }));
    await expect(textOf(broken)).rejects.toThrow("the node is gone");
    expect(errors).toHaveLength(1);
    const failing = () => Promise.reject(new Error("no"));
    await expect(bodies.open(options({ read: failing }))).rejects.toThrow("no");
    expect(bodies.size).toBe(0);
  });
});
