import { test } from "bun:test";

/**
 * `test` where `condition` holds; elsewhere a skipped test whose name carries the reason, which scripts/test prints.
 * `concurrent` runs them beside the others of their file that say so, for tests that mostly wait.
 * Only for what the machine cannot do (not root, no emulator), never for what is not finished.
 */
export function testIf(condition: boolean, reason: string, { concurrent = false } = {}) {
  return (name: string, run: () => void | Promise<void>, timeoutMs?: number): void => {
    if (condition) (concurrent ? test.concurrent : test)(name, run, timeoutMs);
    else test.skip(`${name} [${reason}]`, run);
  };
}
