/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { Finding, PartName, PartStatus, SystemStatus } from "../health/health-service.ts";
import { Badge, type Tone } from "./badge.tsx";
import { figureText } from "./figure-text.ts";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";

const tones: Readonly<Record<PartStatus["state"], Tone>> = { ok: "good", degraded: "warn", down: "bad" };

/** How the hub and its parts are, in words. */
export const HealthPage: FC<{ page: PageContext; status: SystemStatus }> = ({ page, status }) => {
  const { t, format } = page;
  const parts = Object.entries(status.parts) as [PartName, PartStatus][];
  return (
    <Layout page={page} title={t.health} section="health" refreshSeconds={15}>
      <div class="heading">
        <h1>{t.health}</h1>
      </div>
      <p class={`overall ${tones[status.state]}`}>{t.healthPage.overall[status.state]}</p>
      <ul class="parts">
        {parts.map(([name, part]) => (
          <li class="card part">
            <div class="row">
              <h2>{t.healthPage.parts[name]}</h2>
              <Badge tone={tones[part.state]} text={t.healthPage.states[part.state]} />
            </div>
            <p class="muted">{t.healthPage.about[name]}</p>
            <Saying page={page} name={name} part={part} />
            <Figures page={page} figures={part.figures} />
            <p class="muted small">
              <time datetime={formatWireTime(part.checkedAtMs)}>
                {t.healthPage.checked(format.ago(part.checkedAtMs, page.nowMs))}
              </time>
            </p>
          </li>
        ))}
      </ul>
      <dl class="inline-facts">
        <div>
          <dt>{t.healthPage.version}</dt>
          <dd>{status.softwareVersion}</dd>
        </div>
        <div>
          <dt>{t.healthPage.uptime}</dt>
          <dd>{format.duration(status.uptimeSeconds * 1000)}</dd>
        </div>
      </dl>
    </Layout>
  );
};

/** How the part is, and what was found out about it: in the words of a program, which are English, where that is all there is. */
const Saying: FC<{ page: PageContext; name: PartName; part: PartStatus }> = ({ page, name, part }) => {
  const { findings: words, sayings } = page.t.healthPage;
  const { state, message, figures, findings } = part;
  const number = (...names: string[]) =>
    page.format.number(names.reduce((sum, figure) => sum + Number(figures[figure] ?? 0), 0));
  const silent = number("late", "offline", "never_seen");
  const say: Record<Finding, () => string> = {
    ...words,
    nodes_silent: () => words.nodes_silent(silent, number("online", "late", "offline", "never_seen")),
    nodes_alert: () => words.nodes_alert(number("critical_alerts", "warning_alerts")),
  };
  const found = findings?.map((finding) => say[finding]());
  if (state === "ok") return <p>{found?.[0] ?? sayings[name].ok}</p>;
  return (
    <>
      <p>{sayings[name][state]}</p>
      {found ? (
        found.map((text) => <p class="finding">{text}</p>)
      ) : (
        <p class="finding" lang="en">
          {message}
        </p>
      )}
    </>
  );
};

const Figures: FC<{ page: PageContext; figures: PartStatus["figures"] }> = ({ page, figures }) => {
  const rows = Object.entries(figures).filter(([, value]) => value !== null);
  // A figure of a newer part shows under the name it has on the wire.
  const names: Readonly<Record<string, string>> = page.t.healthPage.figureNames;
  if (rows.length === 0) return null;
  return (
    <dl class="figures">
      {rows.map(([name, value]) => (
        <div>
          <dt>{names[name] ?? name.replaceAll("_", " ")}</dt>
          <dd>{figureText(page.format, name, value)}</dd>
        </div>
      ))}
    </dl>
  );
};
