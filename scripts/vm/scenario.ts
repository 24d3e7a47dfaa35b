import type { Site } from "./site.ts";

export interface ScenarioOptions {
  /** How often the power is cut. */
  times: number;
  /** How long a server hangs. */
  hangSeconds: number;
}

export interface Scenario {
  name: string;
  /** What is promised. */
  title: string;
  /** Answers with figures; throws when the promise is broken. The machine is on before and after. */
  run(site: Site, options: ScenarioOptions): Promise<string>;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function expectThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}
