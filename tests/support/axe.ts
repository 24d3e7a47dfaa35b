import axe from "axe-core";
import type { Page } from "playwright-core";

/** WCAG 2.2 at AA, and what axe holds to be good practice. */
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe-core finds wrong with a page, a line for each rule with the first element that breaks it. */
export async function findAxeProblems(page: Page): Promise<string[]> {
  // A script of a person's own, as their browser's extension would be: the page's policy does not concern it.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<Pick<axe.AxeResults, "violations">>(
    `axe.run(document, ${JSON.stringify({ runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] })})`,
  );
  return violations.map(
    ({ id, nodes: [first] }) => `${id}: ${first?.html.slice(0, 200)}: ${first?.failureSummary}`,
  );
}
