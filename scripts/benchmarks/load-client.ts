import { dlopen, FFIType, ptr } from "bun:ffi";
import * as v from "valibot";

/**
 * A client that costs next to nothing, so that on a machine of two cores it is the server that is measured: plain
 * system calls, keep-alive connections, bodies taken from the socket without being copied (MSG_TRUNC, tcp(7)).
 * Takes a {@link LoadPlan} on stdin and prints a {@link LoadResult}.
 */
const LoadPlan = v.object({
  port: v.number(),
  connections: v.number(),
  /** Sent in turn, whole and unchanged. */
  requests: v.pipe(v.array(v.string()), v.minLength(1)),
  expectedStatus: v.number(),
  /** Ends after this time, or after this many answers. */
  durationMs: v.optional(v.number(), Number.MAX_SAFE_INTEGER),
  answers: v.optional(v.number(), Number.MAX_SAFE_INTEGER),
});
export type LoadPlan = v.InferInput<typeof LoadPlan>;

export interface LoadResult {
  answers: number;
  /** All that was taken, of answers that were not whole at the end, too. */
  bodyBytes: number;
  seconds: number;
  /** From the request's first byte sent to the answer's last byte taken. */
  latenciesMs: number[];
}

const AF_INET = 2;
const SOCK_STREAM = 1;
const MSG_PEEK = 0x02;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const EPOLLIN = 1;
const EPOLL_CTL_ADD = 1;
/** `struct epoll_event` is packed on x86-64 only. */
const eventBytes = process.arch === "x64" ? 12 : 16;
const eventDataOffset = process.arch === "x64" ? 4 : 8;
const headerLimit = 16 * 1024;

interface Connection {
  socket: number;
  /** Of the body, or of its chunk; undefined while a header is awaited. */
  remainingBytes: number | undefined;
  isChunked: boolean;
  sentAtMs: number;
}

export function runLoad(plan: v.InferOutput<typeof LoadPlan>): LoadResult {
  const { symbols: libc } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
    send: { args: ["i32", "ptr", FFIType.u64_fast, "i32"], returns: FFIType.i64_fast },
    recv: { args: ["i32", "ptr", FFIType.u64_fast, "i32"], returns: FFIType.i64_fast },
    epoll_create1: { args: ["i32"], returns: "i32" },
    epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
    epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  });
  const check = (result: number | bigint, call: string): number => {
    if (Number(result) < 0) throw new Error(`${call} failed`);
    return Number(result);
  };

  const requests = plan.requests.map((text) => Buffer.from(text, "latin1"));
  const buffer = new Uint8Array(headerLimit);
  const events = new DataView(new ArrayBuffer(eventBytes * 256));
  const epoll = check(libc.epoll_create1(0), "epoll_create1");
  const connections = new Map<number, Connection>();
  let nextRequest = 0;
  let bodyBytes = 0;
  const latenciesMs: number[] = [];

  const sendNext = (connection: Connection) => {
    const request = requests[nextRequest++ % requests.length]!;
    connection.remainingBytes = undefined;
    connection.isChunked = false;
    connection.sentAtMs = performance.now();
    const sent = check(libc.send(connection.socket, ptr(request), request.length, MSG_NOSIGNAL), "send");
    if (sent !== request.length) throw new Error("a request did not fit into the socket's buffer");
  };

  /** Takes what matches at the front of what has come, and nothing else. */
  const takeFront = (socket: number, pattern: RegExp): RegExpExecArray | undefined => {
    const count = Number(libc.recv(socket, ptr(buffer), buffer.length, MSG_DONTWAIT | MSG_PEEK));
    if (count === 0) throw new Error("the server closed the connection");
    if (count < 0) return undefined;
    const text = Buffer.from(buffer.buffer, 0, count).toString("latin1");
    const match = pattern.exec(text);
    if (match === null) {
      if (count === buffer.length) throw new Error(`not the answer expected: ${text.slice(0, 1000)}`);
      return undefined;
    }
    check(libc.recv(socket, ptr(buffer), match[0].length, MSG_DONTWAIT), "recv");
    return match;
  };

  /** Sets what remains of the body, or of its next chunk; false when that has not come yet. */
  const takeHeader = (connection: Connection): boolean => {
    const { socket } = connection;
    if (connection.isChunked) {
      const size = takeFront(socket, /^(?:\r\n)?(?:([1-9a-f][0-9a-f]*)\r\n|0\r\n\r\n)/i);
      if (size === undefined) return false;
      connection.isChunked = size[1] !== undefined;
      connection.remainingBytes = Number.parseInt(size[1] ?? "0", 16);
      return true;
    }
    const header = takeFront(socket, /^.*?\r\n\r\n/s)?.[0];
    if (header === undefined) return false;
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(header)?.[1]);
    const length = /\r\ncontent-length: *(\d+)/i.exec(header)?.[1];
    connection.isChunked = /\r\ntransfer-encoding: *chunked/i.test(header);
    if (status !== plan.expectedStatus || (length === undefined && !connection.isChunked)) {
      throw new Error(`not the answer expected: ${header.slice(0, 1000)}`);
    }
    connection.remainingBytes = connection.isChunked ? undefined : Number(length);
    return !connection.isChunked || takeHeader(connection);
  };

  /** Takes what has come; true when the answer is whole. */
  const receive = (connection: Connection): boolean => {
    for (;;) {
      if (connection.remainingBytes === undefined && !takeHeader(connection)) return false;
      let remainingBytes = connection.remainingBytes ?? 0;
      while (remainingBytes > 0) {
        const count = Number(
          libc.recv(connection.socket, ptr(buffer), remainingBytes, MSG_DONTWAIT | MSG_TRUNC),
        );
        if (count === 0) throw new Error("the server closed the connection in mid-answer");
        if (count < 0) return false;
        remainingBytes -= count;
        connection.remainingBytes = remainingBytes;
        bodyBytes += count;
      }
      if (!connection.isChunked) return true;
      connection.remainingBytes = undefined;
    }
  };

  const address = new DataView(new ArrayBuffer(16));
  address.setUint16(0, AF_INET, true);
  address.setUint16(2, plan.port);
  address.setUint32(4, 0x7f000001);
  const on = new Int32Array([1]);
  try {
    const startedAtMs = performance.now();
    for (let i = 0; i < plan.connections; i++) {
      const socket = check(libc.socket(AF_INET, SOCK_STREAM, 0), "socket");
      const connection: Connection = { socket, remainingBytes: undefined, isChunked: false, sentAtMs: 0 };
      connections.set(socket, connection);
      check(libc.connect(socket, ptr(address), 16), "connect");
      check(libc.setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, ptr(on), 4), "setsockopt");
      events.setUint32(0, EPOLLIN, true);
      events.setInt32(eventDataOffset, socket, true);
      check(libc.epoll_ctl(epoll, EPOLL_CTL_ADD, socket, ptr(events)), "epoll_ctl");
      sendNext(connection);
    }
    const endAtMs = startedAtMs + plan.durationMs;
    while (latenciesMs.length < plan.answers && performance.now() < endAtMs) {
      const count = check(libc.epoll_wait(epoll, ptr(events), 256, 10_000), "epoll_wait");
      if (count === 0) throw new Error("no answer for 10 s");
      for (let i = 0; i < count; i++) {
        const connection = connections.get(events.getInt32(i * eventBytes + eventDataOffset, true))!;
        if (!receive(connection)) continue;
        latenciesMs.push(performance.now() - connection.sentAtMs);
        sendNext(connection);
      }
    }
    const seconds = (performance.now() - startedAtMs) / 1000;
    return { answers: latenciesMs.length, bodyBytes, seconds, latenciesMs };
  } finally {
    for (const socket of connections.keys()) libc.close(socket);
    libc.close(epoll);
  }
}

if (import.meta.main) {
  const plan = v.parse(LoadPlan, await Bun.stdin.json());
  process.stdout.write(JSON.stringify(runLoad(plan)));
}
