import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import { Input } from "react-aria-components/Input";
import { TextField } from "react-aria-components/TextField";
import type { RoomModel } from "../../model/room/room.ts";
import type { TypedText } from "../../model/session.ts";
import { Action, Problem } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { PersonButton } from "./person-card.tsx";
import { useValue } from "../parts/use-value.ts";

interface TextsPanelProps {
  readonly model: RoomModel;
  readonly composer: RefObject<HTMLInputElement | null>;
}

/** Typing to the stage, for whoever cannot speak aloud where they are. */
export function TextsPanel({ model, composer }: TextsPanelProps): ReactElement {
  const { text } = useTexts();
  const texts = useValue(model.chat.texts);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [texts]);
  return (
    <section className="panel panel-texts" aria-labelledby="texts-title">
      <h2 className="panel-title" id="texts-title">
        {text("texts.title")}
      </h2>
      {texts.length === 0 ? (
        <p className="faint">{text("texts.empty")}</p>
      ) : (
        // Focusable, so that it can be scrolled with keys.
        <ol className="texts" ref={list} tabIndex={0} aria-labelledby="texts-title">
          {texts.map((one) => (
            <Typed key={one.id} typed={one} model={model} />
          ))}
        </ol>
      )}
      <Composer model={model} composer={composer} />
    </section>
  );
}

interface TypedProps {
  readonly typed: TypedText;
  readonly model: RoomModel;
}

function Typed({ typed, model }: TypedProps): ReactElement {
  const { text } = useTexts();
  const { identity, name, self, text: words } = typed;
  return (
    <li className="text" data-self={self || undefined}>
      {self ? (
        <span className="text-name">{text("stage.you")}</span>
      ) : (
        <PersonButton model={model} identity={identity} name={name} className="text-name text-open">
          <bdi>{name === "" ? text("person.nameless") : name}</bdi>
        </PersonButton>
      )}
      <p className="text-words" dir="auto">
        {words}
      </p>
    </li>
  );
}

/** The field, and the pause that the room asks for between two texts. */
function Composer({ model, composer }: TextsPanelProps): ReactElement {
  const { text, say } = useTexts();
  const draft = useValue(model.chat.draft);
  const problem = useValue(model.chat.problem);
  const waitS = useValue(model.chat.waitS);
  const slowS = useValue(model.session.facts)?.slowModeS ?? 0;
  return (
    <>
      <form
        className="composer"
        onSubmit={(event) => {
          event.preventDefault();
          model.chat.say();
        }}
      >
        <TextField
          className="composer-field"
          aria-label={text("texts.field")}
          value={draft}
          onChange={(next) => model.chat.draft.set(next)}
        >
          <Input className="input" ref={composer} dir="auto" autoComplete="off" placeholder={text("texts.field")} />
        </TextField>
        <Action look="plain" icon="send" iconOnly type="submit" label={text("texts.send")} />
      </form>
      {slowS > 0 && (
        <p className="faint texts-slow">
          {waitS > 0 ? text("texts.wait", { count: waitS }) : text("texts.slow", { count: slowS })}
        </p>
      )}
      <Problem>{problem && say(problem)}</Problem>
    </>
  );
}
