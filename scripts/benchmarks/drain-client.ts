import { dlopen, FFIType, ptr } from "bun:ffi";
import * as v from "valibot";

/**
 * Takes all that comes over one connection until its end, without copying it (MSG_TRUNC, tcp(7)), so that it is whoever
 * sends that is measured. With `request` it connects to `port` and asks; without, it listens, prints its port on a line
 * of its own, and takes what the first to connect sends. Prints a {@link DrainResult} at the end.
 */
const DrainPlan = v.object({ port: v.optional(v.number(), 0), request: v.optional(v.string()) });
export type DrainPlan = v.InferInput<typeof DrainPlan>;

export interface DrainResult {
  /** Headers of HTTP and frames of its chunks included. */
  bytes: number;
  /** From the request, or from the connection, to the first byte and to the end. */
  firstByteMs: number;
  seconds: number;
  /** What the answer begins with, at most 512 bytes. */
  start: string;
}

const AF_INET = 2;
const SOCK_STREAM = 1;
const MSG_PEEK = 0x2;
const MSG_TRUNC = 0x20;
const takeBytes = 16 * 1024 * 1024;

export function drain(plan: v.InferOutput<typeof DrainPlan>, onPort: (port: number) => void): DrainResult {
  const { symbols: libc } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    listen: { args: ["i32", "i32"], returns: "i32" },
    accept: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    send: { args: ["i32", "ptr", FFIType.u64_fast, "i32"], returns: FFIType.i64_fast },
    recv: { args: ["i32", "ptr", FFIType.u64_fast, "i32"], returns: FFIType.i64_fast },
  });
  const check = (result: number | bigint, call: string): number => {
    if (Number(result) < 0) throw new Error(`${call} failed`);
    return Number(result);
  };
  const address = new DataView(new ArrayBuffer(16));
  address.setUint16(0, AF_INET, true);
  address.setUint16(2, plan.port);
  address.setUint32(4, 0x7f000001);
  const own = check(libc.socket(AF_INET, SOCK_STREAM, 0), "socket");
  let socket = own;
  let startedAtMs: number;
  if (plan.request === undefined) {
    check(libc.bind(own, ptr(address), 16), "bind");
    check(libc.listen(own, 1), "listen");
    check(libc.getsockname(own, ptr(address), ptr(new Uint32Array([16]))), "getsockname");
    onPort(address.getUint16(2));
    socket = check(libc.accept(own, null, null), "accept");
    startedAtMs = performance.now();
  } else {
    check(libc.connect(own, ptr(address), 16), "connect");
    startedAtMs = performance.now();
    const request = Buffer.from(plan.request, "latin1");
    check(libc.send(own, ptr(request), request.length, 0), "send");
  }
  const head = new Uint8Array(512);
  const known = check(libc.recv(socket, ptr(head), head.length, MSG_PEEK), "recv");
  const firstByteMs = performance.now() - startedAtMs;
  let bytes = 0;
  for (;;) {
    const count = check(libc.recv(socket, ptr(head), takeBytes, MSG_TRUNC), "recv");
    if (count === 0) break;
    bytes += count;
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { bytes, firstByteMs, seconds, start: Buffer.from(head.subarray(0, known)).toString("latin1") };
}

if (import.meta.main) {
  const plan = v.parse(DrainPlan, await Bun.stdin.json());
  const result = drain(plan, (port) => process.stdout.write(`${port}\n`));
  process.stdout.write(JSON.stringify(result));
}
