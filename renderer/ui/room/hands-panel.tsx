import type { ReactElement } from "react";
import type { Hand } from "../../../p2p/api/engine.ts";
import type { QueuedHand } from "../../../p2p/api/room.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Action } from "../parts/controls.tsx";
import { useTexts, type Texts } from "../language.ts";
import { PersonButton } from "./person-card.tsx";
import { useValue } from "../parts/use-value.ts";

/** Hands drawn at once; the others wait, and are counted. */
const handsShown = 30;

/** Raised hands, in their order and since when, where they are answered. */
export function HandsPanel({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const facts = useValue(model.session.facts);
  const stage = useValue(model.session.stage);
  const hands: readonly (Hand | QueuedHand)[] = facts?.hands ?? stage.hands;
  const more = hands.length - handsShown;
  return (
    <section className="panel panel-hands" aria-labelledby="hands-title">
      <h2 className="panel-title" id="hands-title">
        {text("hands.title")}
        {hands.length > 0 && <span className="count">{hands.length}</span>}
      </h2>
      {hands.length === 0 && <p className="faint">{text("hands.empty")}</p>}
      <ol className="hands">
        {hands.slice(0, handsShown).map((hand) => (
          <HandRow key={hand.id} hand={hand} model={model} />
        ))}
      </ol>
      {more > 0 && <p className="faint">{text("hands.more", { count: more })}</p>}
    </section>
  );
}

interface HandRowProps {
  readonly hand: Hand | QueuedHand;
  readonly model: RoomModel;
}

function HandRow({ hand, model }: HandRowProps): ReactElement {
  const texts = useTexts();
  const { text } = texts;
  const name = hand.name === "" ? text("person.nameless") : hand.name;
  const since = "raisedAt" in hand ? clockOf(texts, hand.raisedAt) : undefined;
  const words = (
    <>
      <bdi>{name}</bdi>
      {since !== undefined && <time className="hand-since">{text("hands.since", { time: since })}</time>}
    </>
  );
  return (
    <li className="hand">
      {"identity" in hand ? (
        <PersonButton model={model} identity={hand.identity} name={hand.name} className="hand-name hand-open">
          {words}
        </PersonButton>
      ) : (
        <span className="hand-name">{words}</span>
      )}
      <Action look="main" label={text("hands.admit")} aria-description={name} onPress={() => model.admit(hand)} />
      <Action
        look="bare"
        icon="close"
        iconOnly
        label={text("hands.dismiss", { name })}
        onPress={() => model.dismiss(hand)}
      />
    </li>
  );
}

function clockOf({ language }: Texts, at: number): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(at);
}
