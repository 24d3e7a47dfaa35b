import { AppError } from "../common/errors.ts";

export interface RunEdgeOptions {
  configPath: string;
  env: Readonly<Record<string, string | undefined>>;
  entryFile: string;
}

export function runEdge(options: RunEdgeOptions): Promise<number> {
  return Promise.reject(new AppError("internal", `not built yet: ${options.configPath}`));
}
