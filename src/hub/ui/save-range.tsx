/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { PageContext } from "./page-context.ts";

/**
 * Takes a part of the day away: one MP4 (of several cameras a ZIP of them), or the original files as evidence. Works
 * without script.
 */
export const SaveRange: FC<{
  page: PageContext;
  cameraId: string;
  day: string;
  /** What stands there at first: local times, `15:30:00`. */
  from: string;
  to: string;
  /** Those that may go with it, as a ZIP. */
  otherCameras: readonly { cameraId: string; name: string }[];
}> = ({ page, cameraId, day, from, to, otherCameras }) => {
  const { t } = page;
  const time = (name: "from" | "to", value: string) => (
    <label>
      {t.save[name]}
      <input type="time" name={name} value={value} step="1" required />
    </label>
  );
  const save = (as: "clip" | "evidence", primary: boolean) => (
    <button class={primary ? "button primary" : "button"} type="submit" name="as" value={as}>
      {t.save[as]}
    </button>
  );
  return (
    <form class="save-range" method="get" action={`/cameras/${encodeURIComponent(cameraId)}/save`}>
      <input type="hidden" name="date" value={day} />
      {time("from", from)}
      {time("to", to)}
      {otherCameras.length > 0 && (
        <details>
          <summary>{t.save.others}</summary>
          <fieldset aria-label={t.save.others}>
            {otherCameras.map((other) => (
              <label>
                <input type="checkbox" name="camera" value={other.cameraId} />
                {other.name}
              </label>
            ))}
          </fieldset>
        </details>
      )}
      {save("clip", true)}
      {save("evidence", false)}
      <p class="muted small">{t.save.hint}</p>
    </form>
  );
};
