import * as v from "valibot";

/**
 * Viewers that play a video each as HLS players do: a part is asked for when there is room in the buffer, and played
 * at the pace of time; all over a connection per viewer that stays open. Takes a {@link ViewerPlan} on stdin and prints
 * a {@link ViewerResult}.
 */
const ViewerPlan = v.object({
  port: v.number(),
  /** Of each viewer: its requests, a part each, played in this order again and again. */
  viewers: v.array(v.array(v.string())),
  partSeconds: v.number(),
  seconds: v.number(),
});
export type ViewerPlan = v.InferInput<typeof ViewerPlan>;

export interface ViewerResult {
  parts: number;
  bytes: number;
  /** How often a viewer had nothing to show. */
  stalls: number;
  /** From the request to the last byte of the part. */
  latenciesMs: number[];
}

/** So much is there before the next part is asked for. */
const bufferParts = 2;

/** Throws when an answer is not 206, or the server closes a connection. */
export async function runViewers(plan: v.InferOutput<typeof ViewerPlan>): Promise<ViewerResult> {
  const result: ViewerResult = { parts: 0, bytes: 0, stalls: 0, latenciesMs: [] };
  const endAtMs = performance.now() + plan.seconds * 1000;
  const partMs = plan.partSeconds * 1000;
  const view = async (requests: readonly string[], index: number) => {
    // They did not all press play at once.
    await Bun.sleep((index / plan.viewers.length) * partMs);
    const fetchPart = await openConnection(plan.port);
    /** When the last picture that is there has been shown. */
    let shownUntilMs = 0;
    for (let part = 0; performance.now() < endAtMs; part++) {
      const askedAtMs = performance.now();
      result.bytes += await fetchPart(requests[part % requests.length]!);
      const nowMs = performance.now();
      result.parts++;
      result.latenciesMs.push(nowMs - askedAtMs);
      if (part > 0 && nowMs > shownUntilMs) result.stalls++;
      shownUntilMs = Math.max(shownUntilMs, nowMs) + partMs;
      await Bun.sleep(Math.max(0, shownUntilMs - bufferParts * partMs - nowMs));
    }
  };
  await Promise.all(plan.viewers.map(view));
  return result;
}

/** Answers how to send a request and wait for its answer; resolves with the bytes of its body. */
async function openConnection(port: number): Promise<(request: string) => Promise<number>> {
  let head = "";
  let length: number | undefined;
  let taken = 0;
  let waiting = Promise.withResolvers<number>();
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      data(_, chunk) {
        let body = chunk.length;
        if (length === undefined) {
          head += chunk.toString("latin1");
          const end = head.indexOf("\r\n\r\n");
          if (end === -1) return;
          length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
          if (!head.startsWith("HTTP/1.1 206") || Number.isNaN(length)) {
            waiting.reject(new Error(`not the answer expected: ${head.slice(0, 500)}`));
          }
          body = head.length - end - 4;
        }
        taken += body;
        if (taken >= length) waiting.resolve(taken);
      },
      close: () => waiting.reject(new Error("the server closed a connection")),
      error: (_, error) => waiting.reject(error),
    },
  });
  return (request) => {
    [head, length, taken, waiting] = ["", undefined, 0, Promise.withResolvers<number>()];
    socket.write(request);
    return waiting.promise;
  };
}

if (import.meta.main) {
  const plan = v.parse(ViewerPlan, await Bun.stdin.json());
  process.stdout.write(JSON.stringify(await runViewers(plan)), () => process.exit(0));
}
