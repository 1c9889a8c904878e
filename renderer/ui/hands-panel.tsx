import type { ReactElement } from "react";
import type { RoomModel } from "../model/room.ts";
import { Action } from "./controls.tsx";
import { useTexts } from "./language.ts";
import { useValue } from "./use-value.ts";

/** Hands drawn at once; the others wait, and are counted. */
const handsShown = 30;

/** Raised hands, in their order, where the host answers them. */
export function HandsPanel({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const { hands } = useValue(model.session.stage);
  const more = hands.length - handsShown;
  return (
    <section className="panel panel-hands" aria-labelledby="hands-title">
      <h2 className="panel-title" id="hands-title">
        {text("hands.title")}
        {hands.length > 0 && <span className="count">{hands.length}</span>}
      </h2>
      {hands.length === 0 && <p className="faint">{text("hands.empty")}</p>}
      <ul className="hands">
        {hands.slice(0, handsShown).map((hand) => {
          const name = hand.name === "" ? text("person.nameless") : hand.name;
          return (
            <li key={hand.id} className="hand">
              <bdi className="hand-name">{name}</bdi>
              <Action
                look="main"
                label={text("hands.admit")}
                aria-description={name}
                onPress={() => model.admit(hand)}
              />
              <Action
                look="bare"
                icon="close"
                iconOnly
                label={text("hands.dismiss", { name })}
                onPress={() => model.dismiss(hand)}
              />
            </li>
          );
        })}
      </ul>
      {more > 0 && <p className="faint">{text("hands.more", { count: more })}</p>}
    </section>
  );
}
