import type { ReactElement } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { reactions } from "../../../p2p/api/room.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Action } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

/** Columns in which reactions rise, so that they do not cover each other. */
const columns = 8;

/** What people answered a moment ago, over the stage. Whoever does not see it is told by the announcer. */
export function ReactionsView({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const shown = useValue(model.reactions.shown);
  return (
    <div className="reactions" aria-hidden="true">
      {shown.map(({ id, name, reaction, self }) => (
        <span
          key={id}
          className="reaction"
          data-kind={reaction}
          style={{ "--column": (id * 5) % columns, "--row": id % 2 } as React.CSSProperties}
        >
          <Icon name={`react-${reaction}`} />
          <bdi className="reaction-name">{self ? text("stage.you") : name === "" ? text("person.nameless") : name}</bdi>
        </span>
      ))}
    </div>
  );
}

/** Answers without words. The list stays open, for whoever claps twice. */
export function ReactControl({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  return (
    <DialogTrigger>
      <Action look="bare" icon="react-heart" label={text("react.open")} />
      {/* The dialog has the name: a second one on what holds it would be text outside of every region. */}
      <Popover className="popover" placement="top" aria-labelledby="">
        <Dialog className="react" aria-label={text("react.open")}>
          <section className="react-list" aria-label={text("react.open")}>
            {reactions.map((reaction) => (
              <Action
                key={reaction}
                look="bare"
                icon={`react-${reaction}`}
                label={text(`react.${reaction}`)}
                onPress={() => model.reactions.send(reaction)}
              />
            ))}
          </section>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
