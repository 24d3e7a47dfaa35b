export interface FileReport {
  passed: number;
  /** `suite > name` of each. */
  failed: string[];
  skipped: string[];
}

/** By file, those of which at least one test was reported. */
export type TestReport = Map<string, FileReport>;

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[name] ?? whole;
  });
}

/**
 * Counts the test cases of what `bun test --reporter=junit` writes. Not a general XML reader: it relies on that
 * writer's form, attributes in double quotes and `<` escaped everywhere else.
 */
export function parseJunitReport(xml: string): TestReport {
  const report: TestReport = new Map();
  for (const [, attributes = "", selfClosed, body = ""] of xml.matchAll(
    /<testcase\b((?:\s+\w+="[^"]*")*)\s*(?:(\/)>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const attribute = (name: string) =>
      unescapeXml(new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
    const file = attribute("file");
    const ofFile = report.get(file) ?? { passed: 0, failed: [], skipped: [] };
    report.set(file, ofFile);
    const title = [attribute("classname"), attribute("name")].filter((part) => part !== "").join(" > ");
    if (selfClosed) ofFile.passed++;
    else if (/<skipped\b/.test(body)) ofFile.skipped.push(title);
    else ofFile.failed.push(title);
  }
  return report;
}
