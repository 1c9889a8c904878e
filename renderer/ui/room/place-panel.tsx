import { useMemo, type ReactElement } from "react";
import type { App } from "../../model/app.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { treeOf, type TreePicture } from "../../model/room/tree.ts";
import { Action } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";
import { WayNote } from "../network/way-facts.tsx";

interface PlacePanelProps {
  readonly model: RoomModel;
  readonly app: App;
  readonly onLook: () => void;
  readonly onLend: () => void;
}

/** Where the sound comes from, at a glance; the whole picture is one press away. */
export function PlacePanel({ model, app, onLook, onLend }: PlacePanelProps): ReactElement {
  const { text } = useTexts();
  const place = useValue(model.session.place);
  const { latencyMs } = useValue(model.session.quality);
  const children = useValue(model.session.children);
  const isHost = useValue(model.session.role) === "host";
  const isCovering = useValue(model.covering.isShown);
  const lends = useValue(app.lend.isOn);
  const tree = useMemo(() => treeOf(place), [place]);
  const near = text(isHost ? "place.source" : "place.none");
  return (
    <section className="panel panel-place" aria-labelledby="place-title">
      <h2 className="panel-title" id="place-title">
        {text("place.title")}
      </h2>
      <div className="place">
        <SmallTree tree={tree} isSource={isHost} isCovering={isCovering} />
        <dl className="facts">
          <div>
            <dt>{text("place.hops")}</dt>
            <dd>{place.hops === 0 ? near : text("place.hops-count", { count: place.hops })}</dd>
          </div>
          {!isHost && (
            <div>
              <dt>{text("place.delay")}</dt>
              <dd>
                {latencyMs === null ? text("place.none") : text("place.delay-ms", { number: Math.round(latencyMs) })}
              </dd>
            </div>
          )}
          {children > 0 && (
            <div>
              <dt>{text("tree.below")}</dt>
              <dd>{text("tree.below-count", { count: children })}</dd>
            </div>
          )}
        </dl>
      </div>
      <WayNote way={app.way} />
      <div className="place-tools">
        <Action icon="tree" label={text("tree.open")} onPress={onLook} />
        <Action icon={lends ? "check" : "help"} label={text(lends ? "lend.on" : "lend.open")} onPress={onLend} />
      </div>
    </section>
  );
}

const width = 96;
const middle = width / 2;

interface SmallTreeProps {
  readonly tree: TreePicture;
  readonly isSource: boolean;
  readonly isCovering: boolean;
}

/** Stage, relays and us, in a corner. */
function SmallTree({ tree, isSource, isCovering }: SmallTreeProps): ReactElement {
  const { parent, backups, below } = tree;
  const above = (parent === undefined ? backups : [parent, ...backups]).slice(0, 3);
  const xOf = (index: number): number =>
    above.length === 1 ? middle : 14 + (index * (width - 28)) / (above.length - 1);
  return (
    <svg className="place-picture" viewBox={`0 0 ${width} 96`} aria-hidden="true" focusable="false">
      <circle className="tree-light" cx={middle} cy="12" r="14" />
      {above.map((relay, index) => (
        <g
          key={relay.peer}
          className="tree-branch"
          data-reserve={!relay.feeds || undefined}
          data-covering={(!relay.feeds && isCovering) || undefined}
          data-upwards={isSource || undefined}
        >
          <path className="tree-line" d={`M${middle} 12C${middle} 30 ${xOf(index)} 32 ${xOf(index)} 48`} />
          <path className="tree-line" d={`M${xOf(index)} 48C${xOf(index)} 62 ${middle} 60 ${middle} 74`} />
          <circle className="tree-relay" cx={xOf(index)} cy="48" r="5.5" />
        </g>
      ))}
      {above.length === 0 && (
        <path className="tree-line" d={`M${middle} 12V74`} data-reserve={!isSource || undefined} />
      )}
      {below.slice(0, 5).map(({ peer }, index, all) => (
        <circle key={peer} className="tree-leaf" cx={middle + (index - (all.length - 1) / 2) * 11} cy="92" r="3" />
      ))}
      <circle className="place-stage" cx={middle} cy="12" r="7" />
      <g className="tree-self" transform={`translate(${middle} 79) scale(0.8)`}>
        <path d="M-15 -6h30c0 9-5 14-10 15v3h-10v-3c-5-1-10-6-10-15Z" />
      </g>
    </svg>
  );
}
