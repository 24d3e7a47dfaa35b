import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Follower, InStep } from "../../../../src/hub/ui/client/player/in-step.ts";

// Players made of numbers, on a clock of their own: each goes a little too fast or slow, is late when it seeks, and
// stands still now and then, as real ones do.

const stepMs = 10;
const keepMs = 100;

class NumberPlayer {
  atMs: number | undefined;
  rate = 1;
  paused = true;
  seekingMs = 0;
  stallMs = 0;
  seeks = 0;
  readonly #speed: number;
  readonly #seekMs: number;

  constructor(options: { atMs: number | undefined; speed?: number; seekMs?: number }) {
    this.atMs = options.atMs;
    this.#speed = options.speed ?? 1;
    this.#seekMs = options.seekMs ?? 0;
  }

  get seeking(): boolean {
    return this.seekingMs > 0;
  }

  readonly video = this;

  show(atMs: number): void {
    this.atMs = atMs;
    this.seekingMs = this.#seekMs;
    this.seeks++;
  }

  setRate(rate: number): void {
    this.rate = rate;
  }

  async play(): Promise<void> {
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
  }

  pass(ms: number): void {
    const isStill = this.paused || this.seekingMs > 0 || this.stallMs > 0;
    this.seekingMs = Math.max(0, this.seekingMs - ms);
    this.stallMs = Math.max(0, this.stallMs - ms);
    if (!isStill && this.atMs !== undefined) this.atMs += ms * this.rate * this.#speed;
  }
}

function follow(players: NumberPlayer[], isThere: (atMs: number) => boolean = () => true) {
  const leader = new NumberPlayer({ atMs: 1_000_000 });
  let nowMs = 5;
  const away = new Set<number>();
  const followers: Follower[] = players.map((stage, i) => ({
    stage,
    data: { isRecordedAt: isThere, isOnEdgeAt: () => false },
    screen: {
      classList: {
        contains: () => away.has(i),
        toggle(_, isOn) {
          if (isOn) away.add(i);
          else away.delete(i);
          return isOn === true;
        },
      },
    },
  }));
  const inStep = new InStep(leader, followers, () => nowMs);
  return {
    ...{ leader, inStep },
    run(ms: number) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        if (passed % keepMs === 0) inStep.keep(leader.rate, !leader.paused);
        for (const player of [leader, ...players]) player.pass(stepMs);
        nowMs += stepMs;
      }
    },
  };
}

describe("cameras in step", () => {
  test("however late they seek, fast they are and often they stand: soon they are at the same moment again", () => {
    const player = fc.record({
      speed: fc.double({ min: 0.98, max: 1.02, noNaN: true }),
      seekMs: fc.integer({ min: 0, max: 700 }),
      stalls: fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(player, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0.25, 1, 2, 4, 16),
        (kinds, rate) => {
          const players = kinds.map((kind) => new NumberPlayer({ atMs: undefined, ...kind }));
          const { leader, inStep, run } = follow(players);
          leader.rate = rate;
          leader.paused = false;
          for (let round = 0; round < 3; round++) {
            players.forEach((one, i) => {
              one.stallMs = kinds[i]?.stalls[round] ?? 0;
            });
            run(40_000);
            // As a person sees it: 40 ms, and what a player may be off until it is looked at again.
            const most = 40 * Math.max(1, rate) + 0.09 * keepMs * rate;
            for (const off of inStep.offsMs) expect(Math.abs(off ?? Number.NaN)).toBeLessThanOrEqual(most);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("one that only goes a little too fast is never sought", () => {
    const fast = new NumberPlayer({ atMs: 1_000_000, speed: 1.02, seekMs: 200 });
    const { leader, inStep, run } = follow([fast]);
    leader.paused = false;
    run(600_000);
    expect(fast.seeks).toBe(0);
    expect(Math.abs(inStep.offsMs[0] ?? Number.NaN)).toBeLessThan(50);
  });

  test("who pauses sees the same moment of all", () => {
    const players = [0.98, 1.02].map((speed) => new NumberPlayer({ atMs: 1_000_000, speed, seekMs: 300 }));
    const { leader, inStep, run } = follow(players);
    leader.paused = false;
    run(3_000);
    leader.paused = true;
    run(2_000);
    expect(players.every(({ paused }) => paused)).toBe(true);
    for (const off of inStep.offsMs) expect(Math.abs(off ?? Number.NaN)).toBeLessThanOrEqual(40);
  });

  test("one that has nothing stands still and is told as away, and is there when it has something", () => {
    const player = new NumberPlayer({ atMs: undefined, seekMs: 100 });
    const { leader, inStep, run } = follow([player], (atMs) => atMs >= 1_003_000);
    leader.paused = false;
    run(2_000);
    expect([player.paused, inStep.offsMs]).toEqual([true, [undefined]]);
    run(20_000);
    expect(player.paused).toBe(false);
    expect(Math.abs(inStep.offsMs[0] ?? Number.NaN)).toBeLessThanOrEqual(50);
  });
});
