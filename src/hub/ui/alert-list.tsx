/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { Alert } from "../alerts/alert-store.ts";
import { alertText } from "./alert-text.ts";
import { Badge } from "./badge.tsx";
import type { PageContext } from "./page-context.ts";
import { Ago } from "./time.tsx";

const tones = { critical: "bad", warning: "warn" } as const;

/** More of one node are not shown; the gravest are. */
const maxShown = 20;

/** What is wrong, the gravest first. */
export const AlertList: FC<{ page: PageContext; alerts: readonly Alert[] }> = ({ page, alerts }) => {
  const { t, format } = page;
  if (alerts.length === 0) return null;
  const gravest = alerts.toSorted(
    (a, b) => Number(b.severity === "critical") - Number(a.severity === "critical"),
  );
  return (
    <ul class="alerts" aria-label={t.alerts.title}>
      {gravest.slice(0, maxShown).map((alert) => (
        <AlertItem page={page} alert={alert} />
      ))}
      {gravest.length > maxShown && <li class="muted">+{format.number(gravest.length - maxShown)}</li>}
    </ul>
  );
};

const AlertItem: FC<{ page: PageContext; alert: Alert }> = ({ page, alert }) => {
  const { t, format } = page;
  const { sentence, language, detail } = alertText(page, alert);
  return (
    <li>
      <Badge tone={tones[alert.severity]} text={t.alerts.severities[alert.severity]} />
      <div class="alert-words">
        <p>
          {alert.cameraId !== null && (
            <>
              <a href={`/cameras/${encodeURIComponent(alert.cameraId)}`}>{alert.cameraId}</a>{" "}
            </>
          )}
          <span lang={language}>{sentence}</span>
        </p>
        {detail !== undefined && (
          <p class="muted small detail" lang="en">
            {detail}
          </p>
        )}
        <p class="muted small">
          <Ago page={page} ms={alert.raisedAtMs} />
          {alert.count > 1 && `, ${t.alerts.times(format.number(alert.count))}`}
        </p>
      </div>
    </li>
  );
};
