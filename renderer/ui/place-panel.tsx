import type { ReactElement } from "react";
import type { PlaceRelay } from "../../p2p/api/engine.ts";
import type { RoomModel } from "../model/room.ts";
import type { Place } from "../model/session.ts";
import type { WayModel } from "../model/way.ts";
import { useTexts } from "./language.ts";
import { useValue } from "./use-value.ts";
import { WayFacts, WayNote } from "./way-facts.tsx";

/** Dots drawn between the stage and our relay; further ones would not be told apart. */
const dotsMax = 5;

interface PlacePanelProps {
  readonly model: RoomModel;
  readonly way: WayModel;
}

/** Where the sound comes from: the stage, the relays between, and us. */
export function PlacePanel({ model, way }: PlacePanelProps): ReactElement {
  const { text } = useTexts();
  const place = useValue(model.session.place);
  const { latencyMs, layer } = useValue(model.session.quality);
  const isHost = useValue(model.session.role) === "host";
  const feeding = place.relays.filter(({ feeds }) => feeds);
  const near = text(isHost ? "place.source" : "place.none");
  const distance = place.hops === 0 ? near : text("place.hops-count", { count: place.hops });
  const backups = place.relays.length - feeding.length;
  return (
    <section className="panel" aria-labelledby="place-title">
      <h2 className="panel-title" id="place-title">
        {text("place.title")}
      </h2>
      <div className="place">
        <PlacePicture place={place} isSource={isHost} />
        <dl className="facts">
          <div>
            <dt>{text("place.hops")}</dt>
            <dd>{distance}</dd>
          </div>
          {!isHost && (
            <div>
              <dt>{text("place.delay")}</dt>
              <dd>
                {latencyMs === null ? text("place.none") : text("place.delay-ms", { number: Math.round(latencyMs) })}
              </dd>
            </div>
          )}
          <WayFacts way={way} kind={feeding[0]?.kind} />
          <div>
            <dt>{text("place.backup")}</dt>
            <dd>{backups === 0 ? text("place.no-backup") : text("place.backups", { count: backups })}</dd>
          </div>
          {layer === "low" && (
            <div>
              <dt>{text("place.layer")}</dt>
              <dd>{text("place.layer-low")}</dd>
            </div>
          )}
        </dl>
      </div>
      <WayNote way={way} />
    </section>
  );
}

const width = 148;
const stageY = 22;
const relayY = 118;
const selfY = 168;

/** The picture. Its words stand beside it as a list. */
function PlacePicture({ place, isSource }: { readonly place: Place; readonly isSource: boolean }): ReactElement {
  const relays = [...place.relays].sort((a, b) => Number(b.feeds) - Number(a.feeds)).slice(0, 4);
  const dots = Math.min(dotsMax, Math.max(0, place.hops - 2));
  const middle = width / 2;
  const xOf = (index: number): number =>
    relays.length === 1 ? middle : 24 + (index * (width - 48)) / (relays.length - 1);
  return (
    <svg className="place-picture" viewBox={`0 0 ${width} 190`} aria-hidden="true" focusable="false">
      <circle className="place-glow" cx={middle} cy={stageY} r="20" />
      {relays.map((relay, index) => (
        <Branch key={relay.peer} relay={relay} x={xOf(index)} dots={relay.feeds ? dots : 1} upwards={isSource} />
      ))}
      {relays.length === 0 && <path className="place-line" d={`M${middle} ${stageY}V${selfY}`} data-backup />}
      <circle className="place-stage" cx={middle} cy={stageY} r="9" />
      <g className="place-self" transform={`translate(${middle} ${selfY})`}>
        <path d="M-15 -6h30c0 9-5 14-10 15v3h-10v-3c-5-1-10-6-10-15Z" />
      </g>
    </svg>
  );
}

interface BranchProps {
  readonly relay: PlaceRelay;
  readonly x: number;
  readonly dots: number;
  /** Sound flows from us to the room. */
  readonly upwards: boolean;
}

function Branch({ relay, x, dots, upwards }: BranchProps): ReactElement {
  const middle = width / 2;
  const above = Array.from({ length: dots }, (_, index) => (index + 1) / (dots + 1));
  // A curve from the stage to the relay; dots stand on the straight line between, near enough to it.
  const down = `M${middle} ${stageY}C${middle} 60 ${x} 70 ${x} ${relayY}`;
  const last = `M${x} ${relayY}C${x} 145 ${middle} 140 ${middle} ${selfY - 8}`;
  return (
    <g className="place-branch" data-backup={relay.feeds ? undefined : true} data-upwards={upwards || undefined}>
      <path className="place-line" d={down} />
      <path className="place-line" d={last} />
      {above.map((part) => (
        <circle
          key={part}
          className="place-dot"
          cx={curve(middle, middle, x, x, part)}
          cy={curve(stageY, 60, 70, relayY, part)}
          r="3.5"
        />
      ))}
      <circle className="place-relay" cx={x} cy={relayY} r="8" />
    </g>
  );
}

/** A cubic Bézier's coordinate. */
function curve(a: number, b: number, c: number, d: number, t: number): number {
  const s = 1 - t;
  return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d;
}
