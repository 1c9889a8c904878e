import { useMemo, type ReactElement } from "react";
import type { RoomModel } from "../../model/room/room.ts";
import type { Happening } from "../../model/session.ts";
import { treeOf, type TreeNeighbour } from "../../model/room/tree.ts";
import type { WayModel } from "../../model/start/way.ts";
import { Sheet } from "../parts/controls.tsx";
import { useTexts, type Texts } from "../language.ts";
import { TreeDrawing } from "./tree-picture.tsx";
import { useValue } from "../parts/use-value.ts";
import { WayFacts, WayNote } from "./way-facts.tsx";

interface TreeSheetProps {
  readonly model: RoomModel;
  readonly way: WayModel;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** The live picture of our place in the room's tree: drawn, in words, and what happened to it. */
export function TreeSheet({ model, way, isOpen, onClose }: TreeSheetProps): ReactElement {
  const { text } = useTexts();
  return (
    <Sheet title={text("tree.title")} isOpen={isOpen} onClose={onClose} isWide>
      <div className="stack">
        <p className="soft">{text("tree.lead")}</p>
        <LiveTree model={model} way={way} />
      </div>
    </Sheet>
  );
}

function LiveTree({ model, way }: Pick<TreeSheetProps, "model" | "way">): ReactElement {
  const place = useValue(model.session.place);
  const { people } = useValue(model.session.stage);
  const isSource = useValue(model.session.role) === "host";
  const isCovering = useValue(model.covering.isShown);
  const tree = useMemo(() => treeOf(place), [place]);
  return (
    <div className="tree-sides">
      <TreeDrawing tree={tree} people={people} isSource={isSource} isCovering={isCovering} />
      <div className="stack">
        <TreeFacts model={model} way={way} />
        <Happenings model={model} />
      </div>
    </div>
  );
}

/** The picture in words. */
function TreeFacts({ model, way }: Pick<TreeSheetProps, "model" | "way">): ReactElement {
  const texts = useTexts();
  const { text } = texts;
  const place = useValue(model.session.place);
  const { latencyMs, layer } = useValue(model.session.quality);
  const children = useValue(model.session.children);
  const isHost = useValue(model.session.role) === "host";
  const { parent, backups } = treeOf(place);
  const far = text(isHost ? "place.source" : "place.none");
  const named = (relay: TreeNeighbour): string => text("tree.relay", { name: relay.name });
  return (
    <>
      <dl className="facts tree-facts">
        <Fact label={text("place.hops")}>
          {place.hops === 0 ? far : text("place.hops-count", { count: place.hops })}
        </Fact>
        {!isHost && (
          <Fact label={text("tree.parent")}>{parent === undefined ? text("place.none") : named(parent)}</Fact>
        )}
        <Fact label={text("place.backup")}>
          {backups.length === 0 ? text("place.no-backup") : listOf(texts, backups.map(named))}
        </Fact>
        <Fact label={text("tree.below")}>
          {children === 0 ? text("tree.below-nobody") : text("tree.below-count", { count: children })}
        </Fact>
        {!isHost && (
          <Fact label={text("place.delay")}>
            {latencyMs === null ? text("place.none") : text("place.delay-ms", { number: Math.round(latencyMs) })}
          </Fact>
        )}
        <Fact label={text("place.layer")}>{text(`place.layer-${layer}`)}</Fact>
        <WayFacts way={way} kind={parent?.kind} />
      </dl>
      <WayNote way={way} />
    </>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: string }): ReactElement {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What happened on the way of the sound, newest first. */
function Happenings({ model }: Pick<TreeSheetProps, "model">): ReactElement {
  const texts = useTexts();
  const happenings = useValue(model.session.happenings);
  return (
    <section aria-labelledby="tree-log-title">
      <h3 className="sheet-part" id="tree-log-title">
        {texts.text("tree.log")}
      </h3>
      {happenings.length === 0 ? (
        <p className="faint">{texts.text("tree.log-empty")}</p>
      ) : (
        <div role="log">
          <ol className="tree-log">
            {happenings.toReversed().map((happening) => (
              <li key={happening.id} data-kind={happening.kind}>
                <time className="tree-time">{clockOf(texts, happening.at)}</time>
                <span>{wordsOf(texts, happening)}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

function wordsOf({ text }: Texts, { kind, gapMs, packetsRecovered }: Happening): string {
  const number = Math.round(gapMs);
  if (kind === "move") return number === 0 ? text("tree.move-smooth") : text("tree.move", { number });
  return packetsRecovered === 0 ? text("tree.cover", { number }) : text("tree.cover-filled", { number });
}

function listOf({ language }: Texts, words: readonly string[]): string {
  return new Intl.ListFormat(language, { type: "unit" }).format(words);
}

function clockOf({ language }: Texts, at: number): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(at);
}
