export interface TestReport {
  passed: number;
  failed: number;
  /** `file: suite > name` of each. */
  skipped: string[];
  /** Files of which at least one test was reported. */
  files: Set<string>;
}

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
  const report: TestReport = { passed: 0, failed: 0, skipped: [], files: new Set() };
  for (const [, attributes = "", selfClosed, body = ""] of xml.matchAll(
    /<testcase\b((?:\s+\w+="[^"]*")*)\s*(?:(\/)>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const attribute = (name: string) =>
      unescapeXml(new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
    const file = attribute("file");
    report.files.add(file);
    const title = [attribute("classname"), attribute("name")].filter((part) => part !== "").join(" > ");
    if (selfClosed) report.passed++;
    else if (/<skipped\b/.test(body)) report.skipped.push(`${file}: ${title}`);
    else report.failed++;
  }
  return report;
}
