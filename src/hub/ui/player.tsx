/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { Icon, type IconName } from "./icon.tsx";
import type { PageContext } from "./page-context.ts";
import type { Span } from "./plan-day.ts";
import { kindOfCause } from "./plan-gaps.ts";

interface NamedCamera {
  cameraId: string;
  name: string;
}

export interface PlayerModel {
  /** Those that are seen, the page's own first. */
  cameras: readonly NamedCamera[];
  /** That could be seen beside it. */
  others: readonly NamedCamera[];
  timeZone: string;
  day: Span;
  /** Nothing is older. */
  firstMs: number;
  /** Where it begins; undefined where there is nothing to see. */
  atMs: number | undefined;
  fps: number;
}

/** How many cameras are seen at once. */
export const maxCamerasInStep = 4;
const speeds = [0.25, 0.5, 1, 2, 4, 8, 16];

/** Any moment of a camera, for browsers with script: without it the element is not defined, and not shown. */
export const Player: FC<{ page: PageContext; model: PlayerModel }> = ({ page, model }) => {
  const t = page.t.player;
  const { cameras, others } = model;
  return (
    <livecam-player class="card player" data-settings={settingsOf(page, model)}>
      <div class="screens" data-part="screens" data-count={cameras.length}>
        {cameras.map(({ name }) => (
          <figure class="screen">
            <video muted playsinline preload="auto" tabindex={0} aria-label={t.videoOf(name)}></video>
            {cameras.length > 1 && <figcaption>{name}</figcaption>}
            <p class="no-footage">{t.away}</p>
          </figure>
        ))}
      </div>
      <p class="player-note">
        <span data-part="note" role="status"></span>{" "}
        <a href={`/cameras/${encodeURIComponent(cameras[0]?.cameraId ?? "")}/live`} data-part="now" hidden>
          {t.now}
        </a>
      </p>
      <div class="timeline">
        <div
          class="surface"
          data-part="surface"
          role="slider"
          tabIndex={0}
          aria-label={t.timeline}
          aria-valuemin={Math.round(model.firstMs / 1000)}
          aria-valuemax={Math.round(model.day.toMs / 1000)}
          aria-valuenow={Math.round((model.atMs ?? model.day.fromMs) / 1000)}
          aria-valuetext={
            model.atMs === undefined ? t.noFootage : page.format.dateTime(model.atMs, model.timeZone)
          }
        ></div>
        <div class="hover-card" data-part="hover" hidden></div>
      </div>
      <div class="controls">
        <Do name="back" icon="back" label={t.back} />
        <Do name="frame-back" icon="frameBack" label={t.frameBack} />
        <button
          class="button icon-only primary"
          type="button"
          data-part="play"
          aria-label={t.play}
          title={t.play}
        >
          <Icon name="play" />
          <Icon name="pause" />
        </button>
        <Do name="frame-forward" icon="frameForward" label={t.frameForward} />
        <Do name="forward" icon="forward" label={t.forward} />
        <strong class="player-time" data-part="time"></strong>
        <div class="controls settings">
          <select class="button" data-part="rate" aria-label={t.speed} title={t.speed}>
            {speeds.map((speed) => (
              <option
                value={String(speed)}
                selected={speed === 1}
              >{`${page.format.number(speed, 2)}×`}</option>
            ))}
          </select>
          <select class="button" data-part="quality" aria-label={t.quality} title={t.quality}>
            <option value="source">{t.source}</option>
          </select>
          <Do name="zoom-out" icon="minus" label={t.zoomOut} />
          <Do name="zoom-in" icon="plus" label={t.zoomIn} />
          <button
            class="button icon-only"
            type="button"
            data-part="sound"
            aria-label={t.sound}
            title={t.sound}
            aria-pressed="false"
          >
            <Icon name="muted" />
            <Icon name="sound" />
          </button>
          <Do name="full" icon="expand" label={t.full} />
        </div>
      </div>
      <div class="controls clip-marks">
        <button class="button small" type="button" data-part="mark-from">
          {t.markFrom}
        </button>
        <button class="button small" type="button" data-part="mark-to">
          {t.markTo}
        </button>
        <span class="muted small" data-part="marked" role="status">
          {t.nothingMarked}
        </span>
        <a class="button small primary" href="#content" data-part="clip" download hidden>
          {cameras.length > 1 ? t.clips : t.clip}
        </a>
        <a class="button small" href="#content" data-part="evidence" download hidden>
          {t.evidence}
        </a>
        <button class="button small" type="button" data-part="clear" hidden>
          {t.clear}
        </button>
      </div>
      {others.length > 0 && (
        <details class="in-step" open={cameras.length > 1}>
          <summary>{t.others}</summary>
          <p class="controls">
            {others.map(({ cameraId, name }) => {
              const isSeen = cameras.some((camera) => camera.cameraId === cameraId);
              return (
                <label>
                  <input
                    type="checkbox"
                    name="with"
                    value={cameraId}
                    checked={isSeen}
                    disabled={!isSeen && cameras.length >= maxCamerasInStep}
                  />
                  {name}
                </label>
              );
            })}
          </p>
        </details>
      )}
    </livecam-player>
  );
};

const Do: FC<{ name: string; icon: IconName; label: string }> = ({ name, icon, label }) => (
  <button class="button icon-only" type="button" data-part={name} aria-label={label} title={label}>
    <Icon name={icon} />
  </button>
);

/** As client/player/player-settings.ts reads it. */
function settingsOf({ t }: PageContext, model: PlayerModel): string {
  const { play, pause, skipped, skippedUnknown, recorded, notRecorded, notYet, onEdge, uploading } = t.player;
  const { waitsForMore, waitsForCamera, noFootage, failed, source, nothingMarked } = t.player;
  return JSON.stringify({
    cameras: model.cameras.map(({ cameraId }) => ({ cameraId })),
    timeZone: model.timeZone,
    day: { fromMs: model.day.fromMs, toMs: model.day.toMs },
    firstMs: model.firstMs,
    atMs: model.atMs,
    fps: model.fps,
    kinds: { ...kindOfCause, missing: "lost", deleted: "meant" },
    words: {
      ...{ play, pause, skipped, skippedUnknown, recorded, notRecorded, notYet, onEdge, uploading },
      ...{ waitsForMore, waitsForCamera, noFootage, failed, source, nothingMarked },
      causes: { ...t.gap.causes, ...t.player.causes },
    },
  });
}

declare module "hono/jsx" {
  namespace JSX {
    interface IntrinsicElements {
      "livecam-player": JSX.HTMLAttributes & { "data-settings": string };
    }
  }
}
